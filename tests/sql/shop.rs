//! A small shop
