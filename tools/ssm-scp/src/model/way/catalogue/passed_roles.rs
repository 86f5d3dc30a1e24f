//! Services of AWS beside those of nodes: they run code or make calls as a role that is passed to them, so that whoever may use
//! them has what that role may, or give a shell on instances of their own.

use super::{Entry, Way};

pub(super) const PASSED_ROLES: &[Entry] = &[
    Entry {
        way: Way::Stacks,
        actions: &[
            "cloudformation:CreateChangeSet",
            "cloudformation:CreateStack",
            "cloudformation:CreateStackInstances",
            "cloudformation:CreateStackSet",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:UpdateStack",
            "cloudformation:UpdateStackInstances",
            "cloudformation:UpdateStackSet",
        ],
        leads_to: "whatever a template holds, as the role of the stack: instances, documents, associations",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html",
    },
    Entry {
        way: Way::Stacks,
        actions: &[
            "cloudformation:CreateResource",
            "cloudformation:UpdateResource",
        ],
        leads_to: "the same for one resource, by Cloud Control API",
        source: "https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations.html",
    },
    Entry {
        way: Way::Stacks,
        actions: &[
            "servicecatalog:CreateServiceAction",
            "servicecatalog:ExecuteProvisionedProductPlan",
            "servicecatalog:ExecuteProvisionedProductServiceAction",
            "servicecatalog:ProvisionProduct",
            "servicecatalog:UpdateProvisionedProduct",
            "servicecatalog:UpdateServiceAction",
        ],
        leads_to: "runbooks and stacks of products, as the role that launches them",
        source: "https://docs.aws.amazon.com/servicecatalog/latest/adminguide/using-service-actions.html",
    },
    Entry {
        way: Way::Builds,
        actions: &[
            "codebuild:CreateProject",
            "codebuild:RetryBuild",
            "codebuild:StartBuild",
            "codebuild:StartBuildBatch",
            "codebuild:StartCommandExecution",
            "codebuild:StartSandbox",
            "codebuild:StartSandboxConnection",
            "codebuild:UpdateProject",
        ],
        leads_to: "commands in a build that call what its role may",
        source: "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html",
    },
    Entry {
        way: Way::Builds,
        actions: &[
            "codepipeline:CreatePipeline",
            "codepipeline:StartPipelineExecution",
            "codepipeline:UpdatePipeline",
        ],
        leads_to: "commands and deployments as stages of a pipeline",
        source: "https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html",
    },
    Entry {
        way: Way::Builds,
        actions: &[
            "imagebuilder:CreateComponent",
            "imagebuilder:CreateImage",
            "imagebuilder:StartImagePipelineExecution",
            "imagebuilder:UpdateImagePipeline",
        ],
        leads_to: "components in the images of instances to come",
        source: "https://docs.aws.amazon.com/imagebuilder/latest/userguide/create-component-yaml.html",
    },
    Entry {
        way: Way::Notebooks,
        actions: &[
            "cloud9:CreateEnvironmentEC2",
            "cloud9:CreateEnvironmentMembership",
            "cloud9:CreateEnvironmentSSH",
            "cloud9:UpdateEnvironmentMembership",
        ],
        leads_to: "a terminal on the instance of a Cloud9 environment",
        source: "https://docs.aws.amazon.com/cloud9/latest/user-guide/ec2-ssm.html",
    },
    Entry {
        way: Way::Notebooks,
        actions: &[
            "sagemaker:CreateNotebookInstance",
            "sagemaker:CreateNotebookInstanceLifecycleConfig",
            "sagemaker:CreatePresignedDomainUrl",
            "sagemaker:CreatePresignedNotebookInstanceUrl",
            "sagemaker:CreateStudioLifecycleConfig",
            "sagemaker:UpdateNotebookInstance",
            "sagemaker:UpdateNotebookInstanceLifecycleConfig",
        ],
        leads_to: "a notebook with a role, and scripts that run as root when it starts",
        source: "https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-lifecycle-config-install.html",
    },
    Entry {
        way: Way::Notebooks,
        actions: &[
            "glue:CreateDevEndpoint",
            "glue:CreateSession",
            "glue:RunStatement",
            "glue:UpdateDevEndpoint",
        ],
        leads_to: "statements that call what their role may",
        source: "https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-interactive-sessions.html",
    },
    Entry {
        way: Way::Notebooks,
        actions: &["sagemaker:StartSession"],
        leads_to: "SSH to a space of SageMaker Studio, from an editor of one's own",
        source: "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartSession.html",
    },
    Entry {
        way: Way::Notebooks,
        actions: &[
            "bedrock-agentcore:CreateCodeInterpreter",
            "bedrock-agentcore:InvokeCodeInterpreter",
            "bedrock-agentcore:StartCodeInterpreterSession",
        ],
        leads_to: "code that runs as the role of an interpreter of AgentCore",
        source: "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/code-interpreter-create.html",
    },
    Entry {
        way: Way::Notebooks,
        actions: &[
            "bedrock-agentcore:CreateAgentRuntime",
            "bedrock-agentcore:InvokeAgentRuntimeCommand",
            "bedrock-agentcore:UpdateAgentRuntime",
        ],
        leads_to: "commands in the container of an agent, as its role",
        source: "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-execute-command.html",
    },
    Entry {
        way: Way::Notebooks,
        actions: &["bedrock-agentcore:InvokeAgentRuntimeCommandShell"],
        leads_to: "a terminal in the same container",
        source: "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-get-started-command-shell.html",
    },
    Entry {
        way: Way::DataJobs,
        actions: &[
            "elasticmapreduce:AddJobFlowSteps",
            "elasticmapreduce:RunJobFlow",
        ],
        leads_to: "bootstrap actions and steps on the instances of a cluster, with sudo",
        source: "https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-bootstrap.html",
    },
    Entry {
        way: Way::DataJobs,
        actions: &["glue:CreateJob", "glue:StartJobRun", "glue:UpdateJob"],
        leads_to: "scripts that call what their role may",
        source: "https://docs.aws.amazon.com/glue/latest/dg/add-job-python.html",
    },
    Entry {
        way: Way::DataJobs,
        actions: &[
            "sagemaker:CreateProcessingJob",
            "sagemaker:CreateTrainingJob",
        ],
        leads_to: "containers that call what their role may",
        source: "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html",
    },
    Entry {
        way: Way::DataJobs,
        actions: &[
            "emr-serverless:AccessInteractiveEndpoints",
            "emr-serverless:AccessLivyEndpoints",
            "emr-serverless:StartJobRun",
            "emr-serverless:StartSession",
        ],
        leads_to: "jobs and sessions of EMR Serverless that call what their role may",
        source: "https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/security-iam-runtime-role.html",
    },
    Entry {
        way: Way::DataJobs,
        actions: &[
            "emr-containers:CreateManagedEndpoint",
            "emr-containers:GetManagedEndpointSessionCredentials",
            "emr-containers:StartJobRun",
        ],
        leads_to: "pods on the nodes of a cluster of EKS, as a role of theirs",
        source: "https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/iam-execution-role.html",
    },
    Entry {
        way: Way::DataJobs,
        actions: &[
            "datapipeline:ActivatePipeline",
            "datapipeline:PutPipelineDefinition",
        ],
        leads_to: "commands on instances that a pipeline starts with a role",
        source: "https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-shellcommandactivity.html",
    },
    Entry {
        way: Way::DataJobs,
        actions: &["airflow:CreateEnvironment", "airflow:UpdateEnvironment"],
        leads_to: "workflows in Python that call what the environment's role may",
        source: "https://docs.aws.amazon.com/mwaa/latest/userguide/mwaa-create-role.html",
    },
    Entry {
        way: Way::ServiceInstances,
        actions: &[
            "lightsail:CreateInstances",
            "lightsail:CreateInstancesFromSnapshot",
            "lightsail:DownloadDefaultKeyPair",
            "lightsail:GetInstanceAccessDetails",
        ],
        leads_to: "SSH or RDP to an instance of Lightsail",
        source: "https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_GetInstanceAccessDetails.html",
    },
    Entry {
        way: Way::ServiceInstances,
        actions: &["gamelift:GetComputeAccess", "gamelift:GetInstanceAccess"],
        leads_to: "a shell on an instance of a GameLift fleet",
        source: "https://docs.aws.amazon.com/gameliftservers/latest/developerguide/fleets-remote-access.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &["events:PutTargets"],
        leads_to: "Run Command or a runbook when a rule matches",
        source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &["scheduler:CreateSchedule", "scheduler:UpdateSchedule"],
        leads_to: "any call to AWS at a time, SendCommand among them",
        source: "https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &["pipes:CreatePipe", "pipes:UpdatePipe"],
        leads_to: "a workflow, a function, a job or a task whenever there is an event, as a role",
        source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &["states:CreateStateMachine", "states:UpdateStateMachine"],
        leads_to: "any call to AWS as a step of a workflow",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &[
            "ssm-incidents:CreateResponsePlan",
            "ssm-incidents:StartIncident",
            "ssm-incidents:UpdateResponsePlan",
        ],
        leads_to: "a runbook when an incident begins",
        source: "https://docs.aws.amazon.com/incident-manager/latest/userguide/response-plans.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &[
            "config:PutRemediationConfigurations",
            "config:StartRemediationExecution",
        ],
        leads_to: "a runbook as the remediation of a rule of Config",
        source: "https://docs.aws.amazon.com/config/latest/developerguide/remediation.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &[
            "fis:CreateExperimentTemplate",
            "fis:StartExperiment",
            "fis:UpdateExperimentTemplate",
        ],
        leads_to: "commands as the step of an experiment",
        source: "https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &[
            "lambda:CreateFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
        leads_to: "code that calls what its role may",
        source: "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &[
            "synthetics:CreateCanary",
            "synthetics:StartCanaryDryRun",
            "synthetics:UpdateCanary",
        ],
        leads_to: "scripts that call what the role of a canary may",
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_Canaries_CanaryPermissions.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &["apprunner:CreateService", "apprunner:UpdateService"],
        leads_to: "containers that call what their role may",
        source: "https://docs.aws.amazon.com/apprunner/latest/api/API_InstanceConfiguration.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &[
            "chatbot:CreateMicrosoftTeamsChannelConfiguration",
            "chatbot:CreateSlackChannelConfiguration",
            "chatbot:UpdateMicrosoftTeamsChannelConfiguration",
            "chatbot:UpdateSlackChannelConfiguration",
        ],
        leads_to: "commands from a chat channel, as its role",
        source: "https://docs.aws.amazon.com/chatbot/latest/adminguide/understanding-permissions.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &["mgn:PutSourceServerAction", "mgn:PutTemplateAction"],
        leads_to: "documents that run on servers once they are migrated",
        source: "https://docs.aws.amazon.com/cli/latest/reference/mgn/put-template-action.html",
    },
    Entry {
        way: Way::Schedulers,
        actions: &["drs:PutLaunchAction"],
        leads_to: "documents that run on servers once they are recovered",
        source: "https://docs.aws.amazon.com/drs/latest/userguide/post-launch-action-settings-overview.html",
    },
];
