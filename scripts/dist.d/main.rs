//! All tools in one program, which is the tool by whose name it is called. Packages have a link for each.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().unwrap_or_default();
    match name.to_str().unwrap_or_default() {
        "ssm-agentcheck" => ssm_agentcheck::main(),
        "ssm-role" => ssm_role::main(),
        "ssm-prefs" => ssm_prefs::main(),
        "ssm-scp" => ssm_scp::main(),
        // By the other name it is a Lambda function, as by itself.
        "ssm-events" | "bootstrap" => ssm_events::main(),
        "ssm-run" => ssm_run::main(),
        "ssm-vulns" => ssm_vulns::main(),
        _ => {
            eprintln!(
                "ssm-tools: called as '{}', which is not the name of a tool: expected ssm-agentcheck, ssm-role, ssm-prefs, ssm-scp, \
                 ssm-events, ssm-run or ssm-vulns",
                name.to_string_lossy().escape_debug()
            );
            ExitCode::from(2)
        }
    }
}
