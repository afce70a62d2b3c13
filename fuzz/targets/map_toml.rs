#![no_main]

datarights_fuzz::target!("map_toml");
