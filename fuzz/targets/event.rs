#![no_main]

datarights_fuzz::target!("event");
