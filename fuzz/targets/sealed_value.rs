#![no_main]

datarights_fuzz::target!("sealed_value");
