//! Tests of several parts together: the fixtures, and the judgement of plans.

mod fixtures;
mod lockout;
