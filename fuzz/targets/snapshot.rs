#![no_main]

datarights_fuzz::target!("snapshot");
