//! End to end, in the real window: WebDriver, a real Secret Service, a notification service on a session bus of the test's own.
//!
//! Each scenario has a [`desktop::Desktop`] to itself: display, session bus, home directory, so scenarios run side by side and touch
//! nothing of the person who runs them. What is needed is in `.ci/prepare`; a missing program is a failure that names it.
//!
//! Waiting is for a thing on the page, a message on the bus or the end of a process, never for a time.
#![cfg(target_os = "linux")]

mod accessibility;
mod catalog;
mod close;
mod desktop;
mod dialogs;
mod drawn;
mod full;
mod judging;
mod keyboard;
mod keyring;
mod manners;
mod notifications;
mod odd;
mod page;
mod pictures;
mod places;
mod plans;
mod runs;
mod scenarios;
mod states;
mod tray;
mod trouble;
mod trust;
mod views;
mod wire;
