#![no_main]

datarights_fuzz::target!("calendar_file");
