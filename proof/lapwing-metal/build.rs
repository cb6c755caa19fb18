//! Tells the linker where a Cortex-M looks for its vectors.
//!
//! Touches: Cargo's variables; nothing on machines with an operating system.

fn main() {
    println!("cargo:rerun-if-changed=flash.ld");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        println!("cargo:rustc-link-arg-bins=-T{}/flash.ld", env!("CARGO_MANIFEST_DIR"));
    }
}
