package main

import (
	"os"
	"path/filepath"
	"runtime"
)

// configHome is the directory for what a person keeps: $XDG_CONFIG_HOME/oauthctl.
func (a *App) configHome() (string, error) {
	if dir := a.env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "oauthctl"), nil
	}
	if runtime.GOOS != "windows" {
		if home := a.env("HOME"); home != "" {
			return filepath.Join(home, ".config", "oauthctl"), nil
		}
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", advised("set XDG_CONFIG_HOME or HOME, or give a key with -identity FILE or OAUTHCTL_IDENTITY",
			"there is no place for the identity: neither XDG_CONFIG_HOME nor HOME is set")
	}
	return filepath.Join(dir, "oauthctl"), nil
}

// pinDir holds what this machine has seen of each state: $XDG_STATE_HOME/oauthctl/pins.
func (a *App) pinDir() string {
	if dir := a.env("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "oauthctl", "pins")
	}
	if runtime.GOOS == "windows" {
		if dir := a.env("LOCALAPPDATA"); dir != "" {
			return filepath.Join(dir, "oauthctl", "pins")
		}
	}
	if home := a.env("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "oauthctl", "pins")
	}
	return ""
}

// homeFile is a file below the home directory, "" if there is none.
func (a *App) homeFile(parts ...string) string {
	home := a.env("HOME")
	if home == "" && runtime.GOOS == "windows" {
		home = a.env("USERPROFILE")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(append([]string{home}, parts...)...)
}
