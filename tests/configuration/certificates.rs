//! Certificates that the system does not know: `AWS_CA_BUNDLE`, and `ca_bundle` of the profile.

use std::path::Path;

use testbed::{Front, Sandbox};

use super::{complains, config, readers, write};

/// HTTPS in front of the local AWS.
fn front(directory: &Path) -> Front {
    Front::start(
        Sandbox::start().url().trim_start_matches("http://"),
        directory,
    )
}

#[test]
fn the_bundle_of_the_environment_wins_over_that_of_the_profile() {
    let account = Sandbox::start().account();
    let front = front(account.home());
    let gone = account.home().join("gone.pem");
    let broken = write(
        account.home(),
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
    );
    // The bundle of the environment, that of the profile, and what is said; nothing when all is well.
    let cases: [(Option<&Path>, Option<&Path>, &str); 7] = [
        (Some(front.certificate()), None, ""),
        (None, Some(front.certificate()), ""),
        (Some(front.certificate()), Some(&broken), ""),
        (None, None, "UnknownIssuer"),
        (None, Some(&gone), "read ca_bundle of profile 'default' "),
        (
            None,
            Some(&broken),
            "broken.pem: a certificate in it cannot be parsed",
        ),
        (
            Some(&gone),
            Some(front.certificate()),
            "read AWS_CA_BUNDLE ",
        ),
    ];
    for (environment, profile, said) in cases {
        for (tool, run) in readers(&account) {
            let mut run = run.env("AWS_ENDPOINT_URL", front.url());
            if let Some(path) = environment {
                run = run.env("AWS_CA_BUNDLE", path);
            }
            if let Some(path) = profile {
                let text = format!("[default]\nca_bundle = {}\n", path.display());
                run = run.env("AWS_CONFIG_FILE", config(&account, &text));
            }
            let output = run.env("SSM_TIME_DIVISOR", "100").run();
            match said {
                "" => drop(output.assert_status(0)),
                said => complains(&output, tool, said),
            }
        }
    }
}
