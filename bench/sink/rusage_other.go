//go:build !linux

package main

import "syscall"

func becomeSubreaper() {}

// In bytes elsewhere (macOS).
func maxRssKB(took syscall.Rusage) int64 { return int64(took.Maxrss) >> 10 }
