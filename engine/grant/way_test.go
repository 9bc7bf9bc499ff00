package grant_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/providers"
)

// The way of a consent follows from the connection, its server, and what is here.
func TestChoose(t *testing.T) {
	const (
		ssh   = "this is an SSH session"
		why   = "no browser here: " + ssh
		asked = "as asked for"
		web   = `redirect_uris = ["https://a.example/cb"]`
	)
	device := providers.Preset{Title: "Acme", Grants: []string{"authorization_code", "device_code"}, DeviceEndpoint: "https://as.example/device"}
	plain := providers.Preset{Title: "Acme", Grants: []string{"authorization_code"}, AuthorizationEndpoint: "https://as.example/a", TokenEndpoint: "https://as.example/t"}
	issuer := providers.Preset{Title: "Acme", Issuer: "https://as.example"}
	for name, tc := range map[string]struct {
		body   string
		preset providers.Preset
		here   grant.Here
		way    grant.Way
		reason string
		words  string // of the problem
	}{
		"a browser":                      {"", device, grant.Here{}, grant.WayBrowser, "", ""},
		"a browser, answer elsewhere":    {web, device, grant.Here{}, grant.WayPaste, "its redirect URI is not on this machine", ""},
		"no browser, device flow":        {"", device, grant.Here{NoBrowser: ssh}, grant.WayDevice, why, ""},
		"the same, answer elsewhere":     {web, device, grant.Here{NoBrowser: ssh}, grant.WayDevice, why, ""},
		"no browser, grant written down": {`grant "authorization_code" {}`, device, grant.Here{NoBrowser: ssh}, grant.WayPaste, why, ""},
		"no browser, parameters":         {`authorize_params = { tenant = "x" }`, device, grant.Here{NoBrowser: ssh}, grant.WayPaste, why, ""},
		"no browser, no device flow":     {"", plain, grant.Here{NoBrowser: ssh}, grant.WayPaste, why, ""},
		"no browser, flow not known":     {"", issuer, grant.Here{NoBrowser: ssh}, grant.WayPaste, why, ""},
		"no browser, no keys":            {"", plain, grant.Here{NoBrowser: ssh, NoKeys: true}, grant.WayBrowser, why, ""},
		"no browser, answer cannot be pasted": {"grant \"authorization_code\" {\n response_mode = \"form_post\"\n}", plain, grant.Here{NoBrowser: ssh},
			grant.WayBrowser, why, ""},
		"device declared":           {`grant "device_code" {}`, device, grant.Here{NoBrowser: ssh}, grant.WayDevice, "", ""},
		"device insisted on":        {"", device, grant.Here{Wanted: grant.WayDevice}, grant.WayDevice, asked, ""},
		"over a written grant":      {`grant "authorization_code" { timeout = "5m" }`, device, grant.Here{Wanted: grant.WayDevice}, grant.WayDevice, asked, ""},
		"device, discovery decides": {"", issuer, grant.Here{Wanted: grant.WayDevice}, grant.WayDevice, asked, ""},
		"browser insisted on":       {"", device, grant.Here{Wanted: grant.WayBrowser, NoBrowser: ssh}, grant.WayBrowser, asked, ""},
		"paste insisted on":         {"", device, grant.Here{Wanted: grant.WayPaste}, grant.WayPaste, asked, ""},
		"device, and there is none": {"", plain, grant.Here{Wanted: grant.WayDevice}, grant.WayBrowser, "", "Acme has no device flow"},
		"device, and claims":        {"grant \"authorization_code\" {\n claims = jsonencode({})\n}", device, grant.Here{Wanted: grant.WayDevice}, grant.WayBrowser, "", "sets claims"},
		"browser for a device code": {`grant "device_code" {}`, device, grant.Here{Wanted: grant.WayBrowser}, grant.WayDevice, "", "declares the grant device_code"},
		"browser, answer elsewhere": {web, device, grant.Here{Wanted: grant.WayBrowser}, grant.WayPaste, "", "https://a.example/cb"},
		"paste of a form": {"grant \"authorization_code\" {\n response_mode = \"form_post\"\n}", plain, grant.Here{Wanted: grant.WayPaste},
			grant.WayBrowser, "", "form_post"},
		"nobody": {"client_secret = env(\"X\")\ngrant \"client_credentials\" {}", providers.Preset{}, grant.Here{Wanted: grant.WayDevice}, grant.WayNone, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tc.preset.Name = "acme"
			c, diags := build(t, tc.body, &tc.preset)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			declared := c.Settings.Type
			problem := c.Choose(tc.here)
			if s := c.Settings; s.Way != tc.way || s.WayReason != tc.reason || s.Type != declared {
				t.Errorf("way %q because %q, grant %q; want %q, %q, %q", s.Way, s.WayReason, s.Type, tc.way, tc.reason, declared)
			}
			if (problem == "") != (tc.words == "") || !strings.Contains(problem, tc.words) {
				t.Errorf("the problem is %q, want %q", problem, tc.words)
			}
		})
	}
}

// A device code may take the place of the page: the device flow is walked as it
// is, without what belongs to an authorization request, and as long as the code lives.
func TestDeviceCodeInsteadOfAPage(t *testing.T) {
	w := newWorld(t)
	p := w.preset()
	p.AuthorizeParams = map[string]string{"access_type": "offline"}
	c := w.client(p, "")
	if problem := c.Choose(grant.Here{Wanted: grant.WayDevice}); problem != "" {
		t.Fatal(problem)
	}
	start := w.clock.Now()
	g, err := c.Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if form := w.srv.Calls("/device")[0].Form; form.Has("access_type") || form.Has("redirect_uri") {
		t.Errorf("the device request is %v", form)
	}
	if d := w.person.Codes()[0]; !d.Deadline.Equal(start.Add(10 * time.Minute)) {
		t.Errorf("the code is waited for until %s", d.Deadline)
	}
	if c.Settings.Type != grant.AuthorizationCode || c.Settings.Way != grant.WayDevice || len(w.person.Visits()) != 0 {
		t.Errorf("grant %q, way %q, %d pages", c.Settings.Type, c.Settings.Way, len(w.person.Visits()))
	}
}

// Servers give device codes to some clients only. Where one was chosen here, the
// page is next, before anybody has been asked twice; where it was insisted on,
// that is the end.
func TestNoDeviceCodeForThisClient(t *testing.T) {
	refuse := granttest.OAuthError(400, "unauthorized_client", "device flow is off")
	for name, tc := range map[string]struct {
		here  grant.Here
		reply granttest.Reply
		kind  grant.Kind
	}{
		"chosen":            {grant.Here{NoBrowser: "x"}, refuse, ""},
		"insisted on":       {grant.Here{Wanted: grant.WayDevice}, refuse, grant.Config},
		"it may work later": {grant.Here{NoBrowser: "x"}, granttest.OAuthError(503, "temporarily_unavailable", ""), grant.Temporary},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.On("/device", tc.reply)
			w.person.OnPaste = func(v grant.Visit) string { return redirectTo(v, w.srv.Consent(v.URL)) }
			p := w.preset()
			p.DeviceEndpoint = w.srv.URL + "/device"
			c := w.client(p, "")
			if problem := c.Choose(tc.here); problem != "" || c.Settings.Way != grant.WayDevice {
				t.Fatalf("way %q: %s", c.Settings.Way, problem)
			}
			g, err := c.Authorize(context.Background(), w.env())
			if tc.kind != "" {
				wantError(t, err, tc.kind)
				if n := len(w.person.Visits()); n != 0 {
					t.Errorf("%d pages were shown", n)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			if c.Settings.Way != grant.WayPaste || len(w.person.Codes()) != 0 || len(g.Warnings) == 0 || !strings.Contains(g.Warnings[len(g.Warnings)-1], "unauthorized_client") {
				t.Errorf("way %q, warnings %q", c.Settings.Way, g.Warnings)
			}
		})
	}
}
