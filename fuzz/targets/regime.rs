#![no_main]

datarights_fuzz::target!("regime");
