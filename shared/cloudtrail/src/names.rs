//! The names that members of records have, which exports to tables put in lower case.

/// Names as CloudTrail writes them, of records and of what is in structures.
const NAMES: [&str; 44] = [
    "accessKeyId",
    "accountId",
    "additionalEventData",
    "annotation",
    "apiVersion",
    "arn",
    "attributes",
    "awsRegion",
    "creationDate",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "federatedProvider",
    "identityStoreArn",
    "inScopeOf",
    "invokedBy",
    "managementEvent",
    "mfaAuthenticated",
    "onBehalfOf",
    "principalId",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "sessionContext",
    "sessionIssuer",
    "sharedEventID",
    "sourceIPAddress",
    "tlsDetails",
    "type",
    "userAgent",
    "userId",
    "userIdentity",
    "userName",
    "vpcEndpointId",
];

/// Returns a name as CloudTrail writes it.
pub(crate) fn name(column: &str) -> &str {
    let known = NAMES.iter().find(|name| name.eq_ignore_ascii_case(column));
    known.copied().unwrap_or(column)
}
