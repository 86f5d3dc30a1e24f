//! Lines as people's reports quote them, with the report; account numbers and IDs are made up.

use super::{LogVerdict, Reason, Refused, last_verdict, reason};

/// amazon-ssm-agent#374, version 3.0.1031.0: an endpoint of the VPC was the cause.
const HIBERNATE_3_0: &str = "2021-04-30 14:08:08 INFO [ssm-agent-worker] Entering SSM Agent hibernate - AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/AmazonSSMRoleForInstancesQuickSetup/i-11111111111 is not authorized to perform: ssm:UpdateInstanceInformation on resource: arn:aws:ec2:eu-central-1:111122223333:instance/i-111111111111\n\tstatus code: 400\n";
/// amazon-ssm-agent#376, version 2.3.1644.0.
const HIBERNATE_2_3: &str = "2021-05-14 10:00:00 INFO Entering SSM Agent hibernate - EC2RoleRequestError: no EC2 instance role found\ncaused by: EC2MetadataError: failed to make EC2Metadata request\n\tstatus code: 404, request id:\n";
/// amazon-ssm-agent#144, version 2.3.274.0, in `hibernate.log`.
const HEALTH_PING: &str = "2018-11-21 09:00:00 ERROR Health ping failed with error - AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/web is not authorized to perform: ssm:UpdateInstanceInformation on resource: arn:aws:ec2:eu-central-1:111122223333:instance/i-11111111111\n";
/// amazon-ssm-agent#543, version 3.2.1705.0.
const FALLBACK_3_2: &str = "2023-10-25 22:14:42 INFO [ssm-agent-worker] Entering SSM Agent hibernate - AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/CUSTOM_EC2_ROLE/i-11111111111 is not authorized to perform: ssm:UpdateInstanceInformation on resource: arn:aws:ec2:eu-central-1:111122223333:instance/i-11111111111 because no identity-based policy allows the ssm:UpdateInstanceInformation action\n\tstatus code: 400, request id: r\n2023-10-25 22:16:24 WARN EC2RoleProvider Failed to connect to Systems Manager with instance profile role credentials. Err: retrieved credentials failed to report to ssm. RequestId: r Error: AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/CUSTOM_EC2_ROLE/i-11111111111 is not authorized to perform: ssm:UpdateInstanceInformation\n";
/// amazon-ssm-agent#544 and #609, versions 3.2 and 3.3.1230.0.
const NO_ROLE_3_3: &str = "2024-11-04 10:02:44.9629 WARN EC2RoleProvider Failed to connect to Systems Manager with instance profile role credentials. Err: retrieved credentials failed to report to ssm. Error: EC2RoleRequestError: no EC2 instance role found\n2024-11-04 10:02:45.1341 ERROR [TokenRequestService] failed to retrieve instance identity role. Error: RequestError: send request failed\n2024-11-04 10:02:45.1353 ERROR EC2RoleProvider Failed to connect to Systems Manager with SSM role credentials. error calling RequestManagedInstanceRoleToken: unable to build RSA signature. No Authorization header in request\n2024-11-04 10:02:45.1353 ERROR [CredentialRefresher] Retrieve credentials produced error: no valid credentials could be retrieved for ec2 identity. Default Host Management Err: error calling RequestManagedInstanceRoleToken: unable to build RSA signature. No Authorization header in request\n2024-11-04 10:02:45.1353 INFO [CredentialRefresher] Sleeping for 29m29s before retrying retrieve credentials\n";
/// amazon-ssm-agent#546, version 3.2.
const CLOCK_3_2: &str = "2023-11-07 00:48:23 ERROR [CredentialRefresher] Retrieve credentials produced error: unexpected error getting instance profile role credentials or calling UpdateInstanceInformation. Skipping default host management fallback: retrieved credentials failed to report to ssm. RequestId: r Error: InvalidSignatureException: Signature expired: 20231106T134822Z is now earlier than 20231106T144933Z (20231106T145433Z - 5 min.)\n";
/// amazon-ssm-agent#616, version 3.3.1611.0 on a Raspberry Pi.
const CLOCK_3_3: &str = "2025-02-05 08:27:45.6674 INFO [ssm-agent-worker] Entering SSM Agent hibernate - InvalidSignatureException: Signature expired: 20250205T072745Z is now earlier than 20250205T075620Z (20250205T080120Z - 5 min.)\n        status code: 400, request id: r\n";
/// amazon-ssm-agent#381, version 3.0.529.0.
const GONE_3_0: &str = "2021-05-26 13:51:34 INFO [ssm-agent-worker] Entering SSM Agent hibernate - error occurred in RequestManagedInstanceRoleToken: InvalidInstanceId: Not existing InstanceId mi-0123456789abcdef0\n";
/// amazon-ssm-agent#73 and #601.
const OTHER_MACHINE: &str = "2024-11-22 10:00:00.0000 ERROR [CredentialRefresher] Retrieve credentials produced error: MachineFingerprintDoesNotMatch: Fingerprint doesn't match\n";
/// The form of 3.1 in `core/app/credentialrefresher/credentialrefresher.go`.
const REFRESHER_3_1: &str = "2022-09-01 10:00:00 ERROR [CredentialRefresher] Retrieve credentials produced unrecoverable aws error: AccessDeniedException: no\n";

const CONNECTED: &str = "2023-10-25 20:00:00 INFO EC2RoleProvider Successfully connected with instance profile role credentials\n2023-10-25 20:00:00 INFO [CredentialRefresher] Credentials ready\n";
const REPORTING: &str =
    "2030-01-01 10:00:00 INFO [HealthCheck] HealthCheck reporting agent health.\n";

fn last(log: &str) -> Option<LogVerdict> {
    last_verdict(log, "")
}

fn refused(log: &str) -> Refused {
    match last(log) {
        Some(LogVerdict::Refused(refused)) => refused,
        other => panic!("{other:?} of {log}"),
    }
}

#[test]
fn a7_every_version_says_why_it_is_refused() {
    for (log, expected) in [
        (HIBERNATE_2_3, Reason::NoRole),
        (HEALTH_PING, Reason::RoleDenies),
        (HIBERNATE_3_0, Reason::RoleDenies),
        (GONE_3_0, Reason::RegistrationGone),
        (REFRESHER_3_1, Reason::RoleDenies),
        (FALLBACK_3_2, Reason::RoleDenies),
        (CLOCK_3_2, Reason::Clock),
        (CLOCK_3_3, Reason::Clock),
        (OTHER_MACHINE, Reason::OtherMachine),
    ] {
        let refused = refused(log);
        assert_eq!(reason(&refused.line), expected, "{log}");
        assert!(log.contains(&refused.line));
    }
}

#[test]
fn a7b_an_old_success_is_none() {
    for log in [
        FALLBACK_3_2,
        NO_ROLE_3_3,
        HIBERNATE_3_0,
        HIBERNATE_2_3,
        OTHER_MACHINE,
    ] {
        refused(&format!("{CONNECTED}{log}"));
        refused(&format!("{REPORTING}{log}"));
        // And the other way round.
        let log = format!("{log}{CONNECTED}");
        assert_eq!(last(&log), Some(LogVerdict::InstanceProfile), "{log}");
    }
    // Nor one before the last start.
    let started =
        format!("{CONNECTED}2023-10-25 21:00:00 INFO [amazon-ssm-agent] Starting Core Agent\n");
    assert_eq!(last(&started), None);
}

#[test]
fn what_became_of_the_profile_is_kept() {
    let refused = refused(NO_ROLE_3_3);
    assert!(
        refused
            .line
            .contains("no valid credentials could be retrieved")
    );
    assert_eq!(reason(&refused.profile_line.unwrap()), Reason::NoRole);
}

#[test]
fn a_worker_that_reports_has_woken_up_and_one_without_new_credentials_has_not() {
    assert_eq!(last(REPORTING), Some(LogVerdict::Reports));
    for log in [HIBERNATE_2_3, HIBERNATE_3_0, HEALTH_PING] {
        let log = format!("{log}{REPORTING}");
        assert_eq!(last(&log), Some(LogVerdict::Reports), "{log}");
    }
    for log in [NO_ROLE_3_3, OTHER_MACHINE, CLOCK_3_2] {
        refused(&format!("{log}{REPORTING}"));
    }
    let failed = "2030-01-01 10:00:01 ERROR [HealthCheck] error when calling AWS APIs. error details - AccessDeniedException: no\n";
    refused(&format!("{REPORTING}{failed}"));
    let other = "2030-01-01 10:00:01 ERROR [Association] error when calling AWS APIs. error details - AccessDeniedException: no\n";
    let log = format!("{REPORTING}{other}");
    assert_eq!(last(&log), Some(LogVerdict::Reports));
}

#[test]
fn the_log_of_the_hibernation_counts_where_it_is_later() {
    let is_refused =
        |log: &str| matches!(last_verdict(log, HEALTH_PING), Some(LogVerdict::Refused(_)));
    assert!(
        is_refused("")
            && is_refused(
                "2018-11-20 09:00:00 INFO [HealthCheck] HealthCheck reporting agent health.\n"
            )
    );
    assert!(
        !is_refused(CONNECTED)
            && !is_refused("INFO Successfully connected with Systems Manager role credentials\n")
    );
    assert_eq!(
        last_verdict(CONNECTED, ""),
        Some(LogVerdict::InstanceProfile)
    );
    assert_eq!(last_verdict("", ""), None);
}

#[test]
fn denials_name_the_policy_that_decides() {
    for (line, expected) in [
        (
            "AccessDeniedException: .. because no VPC endpoint policy allows the ssm:UpdateInstanceInformation action",
            Reason::EndpointPolicy,
        ),
        (
            "AccessDeniedException: .. with an explicit deny in a service control policy",
            Reason::ServiceControlPolicy,
        ),
        (
            "error calling RequestManagedInstanceRoleToken: AccessDeniedException: Systems Manager's instance management role is not configured for account: 111122223333",
            Reason::HostManagement,
        ),
        (
            "EC2RoleRequestError: AssumeRoleUnauthorizedAccess",
            Reason::RoleTrust,
        ),
        (
            "RequestError: send request failed\ncaused by: Post \"https://ssm.eu-central-1.amazonaws.com/\": dial tcp 10.0.0.1:443: i/o timeout",
            Reason::Network,
        ),
        (
            "ERROR failed to get identity: failed to find agent identity",
            Reason::NoIdentity,
        ),
        (
            "ExpiredTokenException: The security token included in the request is expired",
            Reason::Expired,
        ),
        ("ThrottlingException: Rate exceeded", Reason::Throttled),
        ("something new", Reason::Other),
    ] {
        assert_eq!(reason(line), expected, "{line}");
    }
}
