//! What variables are, by their names.

/// Settings by their whole names.
const SETTINGS: &[&str] = &[
    "AR",
    "ARFLAGS",
    "AS",
    "ASFLAGS",
    "CC",
    "CFLAGS",
    "COMPILER_PATH",
    "CPATH",
    "CPP",
    "CPPFLAGS",
    "CPLUS_INCLUDE_PATH",
    "CXX",
    "CXXFLAGS",
    "CXXSTDLIB",
    "C_INCLUDE_PATH",
    "DEVELOPER_DIR",
    "FC",
    "FFLAGS",
    "GCC_EXEC_PREFIX",
    "INCLUDE",
    "LD",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LD_RUN_PATH",
    "LIB",
    "LIBPATH",
    "LIBRARY_PATH",
    "LIBS",
    "MACOSX_DEPLOYMENT_TARGET",
    "NM",
    "NVCC",
    "OBJCOPY",
    "OBJC_INCLUDE_PATH",
    "RANLIB",
    "RUSTFLAGS",
    "SDKROOT",
    "SOURCE_DATE_EPOCH",
    "STRIP",
];

/// Families of settings.
const SETTING_PREFIXES: &[&str] = &[
    "AR_",
    "BINDGEN_",
    "CARGO_",
    "CC_",
    "CFLAGS_",
    "CLANG_",
    "CMAKE_",
    "CRATE_CC_",
    "CUDA_",
    "CXXFLAGS_",
    "CXX_",
    "DEP_",
    "HOST_",
    "LIBCLANG_",
    "LLVM_",
    "NIX_",
    "OPENSSL_",
    "PKG_CONFIG",
    "PROTOC",
    "PYO3_",
    "RANLIB_",
    "RUSTC_",
    "RUSTDOC",
    "RUST_",
    "SYSTEM_DEPS_",
    "TARGET_",
    "VCPKG",
];

/// Endings of names that build scripts construct (`<LIBRARY>_LIB_DIR`), so that the whole name appears in no
/// program.
const SETTING_SUFFIXES: &[&str] = &[
    "FLAGS",
    "_AR",
    "_CC",
    "_CXX",
    "_DIR",
    "_INCLUDE",
    "_INCLUDE_PATH",
    "_LIB",
    "_LIBRARY_PATH",
    "_LIBS",
    "_LINKER",
    "_NO_PKG_CONFIG",
    "_NO_VENDOR",
    "_PREFIX",
    "_ROOT",
    "_STATIC",
    "_USE_PKG_CONFIG",
];

/// Variables that look like settings but change no code: cargo's output, the network, passwords.
const NO_SETTINGS: &[&str] = &[
    "CARGO_ALIAS_",
    "CARGO_BUILD_JOBS",
    "CARGO_CACHE_",
    "CARGO_FUTURE_",
    "CARGO_HTTP_",
    "CARGO_LOG",
    "CARGO_NET_",
    "CARGO_REGISTR",
    "CARGO_TERM_",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "RUST_LOG",
    "RUST_TEST_",
];

/// Names of a terminal, a session, a job or a machine.
const OF_SESSION: &[&str] = &[
    "COLORTERM",
    "COLUMNS",
    "DISPLAY",
    "EDITOR",
    "FORCE_COLOR",
    "HOSTNAME",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LINES",
    "LOGNAME",
    "MANPATH",
    "NO_COLOR",
    "OLDPWD",
    "PAGER",
    "SHLVL",
    "TMPDIR",
    "VISUAL",
    "WAYLAND_DISPLAY",
    "WINDOWID",
    "WORKSPACE",
];

/// Families of the same kind.
const OF_SESSION_PREFIXES: &[&str] = &[
    "ACTIONS_",
    "AGENT_",
    "BITBUCKET_",
    "BUILDKITE_",
    "BUILD_",
    "CIRCLE_",
    "CI_",
    "CLICOLOR",
    "DBUS_",
    "DRONE_",
    "EXECUTOR_",
    "FNM_",
    "GITHUB_",
    "GITLAB_",
    "GIT_",
    "GPG_",
    "HIST",
    "HUDSON_",
    "ITERM_",
    "JENKINS_",
    "JOB_",
    "KITTY_",
    "KUBERNETES_",
    "LC_",
    "LESS",
    "LS_COLORS",
    "NVM_",
    "PERFCHECK_",
    "PS1",
    "PYENV_",
    "RUNNER_",
    "RUSTUP_",
    "RUST_RECURSION",
    "SDKMAN_",
    "SSH_",
    "STARSHIP_",
    "SUDO_",
    "SYSTEMD_",
    "TERM",
    "TMUX",
    "TRAVIS_",
    "VSCODE_",
    "VTE_",
    "WEZTERM_",
    "WSL",
    "XDG_",
    "ZELLIJ",
];

/// Whether compilers, cargo or the crates that drive them are known to read it.
pub(super) fn is_setting(name: &str) -> bool {
    if begins(name, NO_SETTINGS) {
        return false;
    }
    SETTINGS.contains(&name)
        || begins(name, SETTING_PREFIXES)
        || (SETTING_SUFFIXES.iter().any(|end| name.ends_with(end)) && !is_of_session(name))
}

/// Whether it names a terminal, a job or a machine, or changes no code.
pub(super) fn is_of_session(name: &str) -> bool {
    OF_SESSION.contains(&name) || begins(name, OF_SESSION_PREFIXES) || begins(name, NO_SETTINGS)
}

fn begins(name: &str, with: &[&str]) -> bool {
    with.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_what_compilers_and_build_scripts_are_known_to_read() {
        for name in [
            "CC",
            "CFLAGS_x86_64_unknown_linux_gnu",
            "HOST_CC",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "CARGO_PROFILE_BENCH_LTO",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_HOME",
            "PKG_CONFIG_PATH",
            "OPENSSL_DIR",
            "ZSTD_SYS_USE_PKG_CONFIG",
            "LIBZ_SYS_STATIC",
            "FOO_LIB_DIR",
            "X86_64_UNKNOWN_LINUX_GNU_OPENSSL_INCLUDE_DIR",
            "JEMALLOC_SYS_WITH_LG_PAGE_ROOT",
            "LIBRARY_PATH",
            "CMAKE_GENERATOR",
            "BINDGEN_EXTRA_CLANG_ARGS",
            "NIX_CFLAGS_COMPILE",
            "PROTOC_INCLUDE",
            "LD_LIBRARY_PATH",
            "AR",
            "SOURCE_DATE_EPOCH",
        ] {
            assert!(is_setting(name), "{name} should be in the key");
        }
    }
}
