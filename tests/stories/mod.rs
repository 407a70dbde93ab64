//! What people and programs do with Reeve, from beginning to end.

mod clusters;
mod company;
mod hire;
mod main_job;
