//! Where each record goes: destinations by name, rules that route and mute, break-glass principals, and who has acknowledged their
//! use. Decides, and knows nothing of the network and of the verbs.

mod acknowledgement;
mod check;
mod decide;
mod destination;
mod hours;
mod principal;
mod routes;
mod uses;

pub(crate) use self::acknowledgement::{Acknowledgement, Acknowledgements};
pub(crate) use self::decide::Subject;
pub(crate) use self::destination::{
    Channel, Destination, HeaderName, HttpsUrl, SlackApi, SlackBot, Topic,
};
pub(crate) use self::routes::Routes;
pub(crate) use self::uses::{Recorded, Uses, findings};
