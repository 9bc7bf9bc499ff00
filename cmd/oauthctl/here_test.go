package main

import "testing"

// Whether a browser can be opened is told by what is around, and by nothing else.
func TestNoBrowser(t *testing.T) {
	type env = map[string]string
	for name, tc := range map[string]struct {
		system    string
		ci        bool
		env       env
		files     []string
		cgroup    string
		installed string
		want      string
	}{
		"a desktop":             {system: "linux", env: env{"DISPLAY": ":0"}, installed: "xdg-open"},
		"Wayland":               {system: "linux", env: env{"WAYLAND_DISPLAY": "wayland-0"}, installed: "xdg-open"},
		"another launcher":      {system: "linux", env: env{"DISPLAY": ":0"}, installed: "www-browser"},
		"macOS":                 {system: "darwin"},
		"Windows":               {system: "windows"},
		"no display":            {system: "linux", installed: "xdg-open", want: "there is no display"},
		"no launcher":           {system: "linux", env: env{"DISPLAY": ":0"}, want: "none of xdg-open, x-www-browser, www-browser, wslview is installed"},
		"SSH":                   {system: "linux", env: env{"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22", "DISPLAY": "localhost:10.0"}, installed: "xdg-open", want: "this is an SSH session"},
		"SSH with a terminal":   {system: "darwin", env: env{"SSH_TTY": "/dev/pts/0"}, want: "this is an SSH session"},
		"CI":                    {system: "windows", ci: true, want: "this is CI"},
		"SSH before CI":         {system: "linux", ci: true, env: env{"SSH_TTY": "/dev/pts/0"}, want: "this is an SSH session"},
		"Docker":                {system: "linux", env: env{"DISPLAY": ":0"}, files: []string{"/.dockerenv"}, installed: "xdg-open", want: "this is a container"},
		"Podman":                {system: "linux", files: []string{"/run/.containerenv"}, want: "this is a container"},
		"cgroups v1":            {system: "linux", env: env{"DISPLAY": ":0"}, cgroup: "12:cpu:/docker/4f5d\n", installed: "xdg-open", want: "this is a container"},
		"cgroups of a desktop":  {system: "linux", env: env{"DISPLAY": ":0"}, cgroup: "0::/init.scope\n", installed: "xdg-open"},
		"a pod":                 {system: "linux", env: env{"KUBERNETES_SERVICE_HOST": "10.96.0.1", "DISPLAY": ":0"}, installed: "xdg-open", want: "this is a Kubernetes pod"},
		"WSL":                   {system: "linux", env: env{"WSL_DISTRO_NAME": "Debian"}, installed: "wslview"},
		"WSL without a program": {system: "linux", env: env{"WSL_INTEROP": "/run/WSL/8_interop"}, want: "this is WSL without wslview (package wslu)"},
		"a file of that name":   {system: "darwin", files: []string{"/.dockerenv"}},
	} {
		s := surroundings{
			system: tc.system, ci: tc.ci,
			env:       func(name string) string { return tc.env[name] },
			read:      func(string) string { return tc.cgroup },
			installed: func(program string) bool { return program == tc.installed },
			exists: func(path string) bool {
				for _, f := range tc.files {
					if f == path {
						return true
					}
				}
				return false
			},
		}
		if got := s.noBrowser(); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
