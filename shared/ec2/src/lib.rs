//! The few operations of EC2 that the tools need, on the SDK's own runtime, signing and credentials.
//! The generated `aws-sdk-ec2` would cost 447 s, 668 CPU-seconds and 7.6 GB of memory in a release build, even with
//! `opt-level = 1`; a profile override helps little, as the time goes into reading the code.
//! The only writes put an instance profile on an instance and take it off.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod decode;
mod endpoint;
mod error;
mod request;
mod xml;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_types::SdkConfig;

use decode::Page;

pub use awsdata::{
    Instance, InstanceProfileAssociation, MetadataDefaults, MetadataOptions, Route, RouteTable,
    SecurityGroup, SecurityRule, VpcEndpoint,
};
pub use error::Ec2Error;

/// The states of an instance that still exists; `terminated` ones linger for an hour and are nobody's concern.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>
pub const EXISTING: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// What EC2 answers: a value, or its code and message such as `UnauthorizedOperation`, after the retries of throttling,
/// broken connections and 5xx answers.
pub type Answer<T> = Result<T, SdkError<Ec2Error, HttpResponse>>;

/// A name and the values of which any may match.
pub type Filter<'a> = (&'a str, &'a [&'a str]);

/// A client for one region: its region, credentials, retries, endpoint and HTTP client are the configuration's.
#[derive(Clone, Debug)]
pub struct Client(SdkConfig);

/// The pages of a list, one call each.
pub struct Pages<T> {
    operation: Operation<String, Page<T>, Ec2Error>,
    /// The request for the first page.
    form: String,
    /// The token of the next page; none inside when it is the first, none at all after the last.
    next: Option<Option<String>>,
}

impl<T: std::fmt::Debug + Send + Sync + 'static> Pages<T> {
    /// Returns the next page, `None` after the last one or an error.
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn next(&mut self) -> Option<Answer<Vec<T>>> {
        let mut form = self.form.clone();
        if let Some(token) = self.next.take()? {
            request::push(&mut form, "NextToken", &token);
        }
        let answer = self.operation.invoke(form).await;
        Some(answer.map(|page| {
            self.next = page.next_token.map(Some);
            page.items
        }))
    }

    async fn all(mut self) -> Answer<Vec<T>> {
        let mut items = Vec::new();
        while let Some(page) = self.next().await {
            items.extend(page?);
        }
        Ok(items)
    }
}

impl Client {
    /// Returns a client.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Client {
        Client(config.clone())
    }

    /// Returns the pages, of up to 1000 each, of the instances that match every filter, in EC2's order.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html>
    #[must_use]
    pub fn instance_pages(&self, filters: &[Filter<'_>]) -> Pages<Instance> {
        self.pages("DescribeInstances", decode::instances, 1000, filters)
    }

    /// Returns the instances that match every filter, from all pages, in EC2's order.
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn describe_instances(&self, filters: &[Filter<'_>]) -> Answer<Vec<Instance>> {
        self.instance_pages(filters).all().await
    }

    /// Returns the names of the regions that are enabled for the account, in EC2's order.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn describe_regions(&self) -> Answer<Vec<String>> {
        let name = "DescribeRegions";
        let page = request::operation(&self.0, name, decode::regions)
            .invoke(request::form(name))
            .await?;
        Ok(page.items)
    }

    /// Returns what the account sets for the metadata service of instances to come.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceMetadataDefaults.html>
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn get_instance_metadata_defaults(&self) -> Answer<MetadataDefaults> {
        let name = "GetInstanceMetadataDefaults";
        request::operation(&self.0, name, decode::metadata_defaults)
            .invoke(request::form(name))
            .await
    }

    /// Returns the VPC endpoints of the region.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html>
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn describe_vpc_endpoints(&self) -> Answer<Vec<VpcEndpoint>> {
        self.pages("DescribeVpcEndpoints", decode::vpc_endpoints, 1000, &[])
            .all()
            .await
    }

    /// Returns the route tables of the region.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html>
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn describe_route_tables(&self) -> Answer<Vec<RouteTable>> {
        self.pages("DescribeRouteTables", decode::route_tables, 100, &[])
            .all()
            .await
    }

    /// Returns the security groups of the region.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html>
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn describe_security_groups(&self) -> Answer<Vec<SecurityGroup>> {
        let name = "DescribeSecurityGroups";
        self.pages(name, decode::security_groups, 1000, &[])
            .all()
            .await
    }

    /// Returns the associations of an instance with its profile: none or one, for a moment two.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeIamInstanceProfileAssociations.html>
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn describe_iam_instance_profile_associations(
        &self,
        instance_id: &str,
    ) -> Answer<Vec<InstanceProfileAssociation>> {
        let name = "DescribeIamInstanceProfileAssociations";
        let filters: [Filter<'_>; 1] = [("instance-id", &[instance_id])];
        self.pages(name, decode::associations, 1000, &filters)
            .all()
            .await
    }

    /// Puts an instance profile, given by its ARN, on an instance that has none.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html>
    ///
    /// # Errors
    /// As [`Answer`]; `IncorrectState` when the instance has a profile.
    pub async fn associate_iam_instance_profile(
        &self,
        instance_id: &str,
        profile_arn: &str,
    ) -> Answer<InstanceProfileAssociation> {
        let parameters = [
            ("InstanceId", instance_id),
            ("IamInstanceProfile.Arn", profile_arn),
        ];
        self.write("AssociateIamInstanceProfile", &parameters).await
    }

    /// Puts another instance profile in the place of the one that an association is about.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html>
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn replace_iam_instance_profile_association(
        &self,
        association_id: &str,
        profile_arn: &str,
    ) -> Answer<InstanceProfileAssociation> {
        let parameters = [
            ("AssociationId", association_id),
            ("IamInstanceProfile.Arn", profile_arn),
        ];
        self.write("ReplaceIamInstanceProfileAssociation", &parameters)
            .await
    }

    /// Takes an instance profile off an instance.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisassociateIamInstanceProfile.html>
    ///
    /// # Errors
    /// As [`Answer`].
    pub async fn disassociate_iam_instance_profile(
        &self,
        association_id: &str,
    ) -> Answer<InstanceProfileAssociation> {
        let parameters = [("AssociationId", association_id)];
        self.write("DisassociateIamInstanceProfile", &parameters)
            .await
    }

    fn pages<T: std::fmt::Debug + Send + Sync + 'static>(
        &self,
        name: &'static str,
        decoder: fn(&[u8]) -> Result<Page<T>, aws_smithy_runtime_api::box_error::BoxError>,
        max_results: u16,
        filters: &[Filter<'_>],
    ) -> Pages<T> {
        Pages {
            operation: request::operation(&self.0, name, decoder),
            form: request::list(name, max_results, filters),
            next: Some(None),
        }
    }

    async fn write(
        &self,
        name: &'static str,
        parameters: &[(&str, &str)],
    ) -> Answer<InstanceProfileAssociation> {
        let mut form = request::form(name);
        for (name, value) in parameters {
            request::push(&mut form, name, value);
        }
        request::operation(&self.0, name, decode::association)
            .invoke(form)
            .await
    }
}
