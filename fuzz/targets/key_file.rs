#![no_main]

datarights_fuzz::target!("key_file");
