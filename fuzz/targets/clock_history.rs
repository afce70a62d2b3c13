#![no_main]

datarights_fuzz::target!("clock_history");
