//! The alerts of an account and region: the rule, its target, the trail and the function that send alerts to Slack. Knows
//! nothing of the verbs.

pub(crate) mod hidden;
pub(crate) mod model;
pub(crate) mod observe;
pub(crate) mod package;
pub(crate) mod resource_state;
pub(crate) mod webhook;

pub(crate) mod check;
pub(crate) mod function;
pub(crate) mod plan;
pub(crate) mod rule;
pub(crate) mod template;
pub(crate) mod trail;

pub(crate) mod apply;
