// Which sanitizer is at work, for tests that would measure it, or that it would stop: for the preprocessor 0 or 1, for all
// else a constant.
#pragma once

// g++'s name first: some headers define a __has_feature for it that is always 0.
#if defined(__SANITIZE_ADDRESS__)
#define XTAPE_ADDRESS_SANITIZER 1
#elif defined(__SANITIZE_THREAD__)
#define XTAPE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XTAPE_ADDRESS_SANITIZER 1
#elif __has_feature(thread_sanitizer)
#define XTAPE_THREAD_SANITIZER 1
#endif
#endif
#ifndef XTAPE_ADDRESS_SANITIZER
#define XTAPE_ADDRESS_SANITIZER 0
#endif
#ifndef XTAPE_THREAD_SANITIZER
#define XTAPE_THREAD_SANITIZER 0
#endif

inline constexpr bool under_address_sanitizer = XTAPE_ADDRESS_SANITIZER != 0;
inline constexpr bool under_thread_sanitizer = XTAPE_THREAD_SANITIZER != 0;
/// Both have an allocator of their own, and keep what is freed.
inline constexpr bool under_sanitizer = under_address_sanitizer || under_thread_sanitizer;
