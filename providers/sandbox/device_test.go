package sandbox_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

func (r *rig) startDevice() map[string]any {
	r.t.Helper()
	status, d := r.post(issuer+"/device_authorization", url.Values{"client_id": {"tv"}, "scope": {"files.read mail.read"}})
	if status != http.StatusOK {
		r.t.Fatalf("%d %v", status, d)
	}
	return d
}

func (r *rig) pollDevice(d map[string]any) (string, map[string]any) {
	r.t.Helper()
	_, got := r.post(issuer+"/token", url.Values{
		"grant_type": {deviceGrant}, "device_code": {d["device_code"].(string)}, "client_id": {"tv"},
	})
	code, _ := got["error"].(string)
	return code, got
}

func TestDeviceFlow(t *testing.T) {
	r := newRig(t, acme())
	d := r.startDevice()
	if d["verification_uri"] != issuer+"/device" || d["interval"] != 1.0 || d["expires_in"] != 900.0 {
		t.Errorf("%v %v %v", d["verification_uri"], d["interval"], d["expires_in"])
	}
	if !strings.HasSuffix(d["verification_uri_complete"].(string), "?user_code="+d["user_code"].(string)) {
		t.Errorf("complete: %v", d["verification_uri_complete"])
	}
	if code, _ := r.pollDevice(d); code != "authorization_pending" {
		t.Errorf("before: %s", code)
	}
	if err := r.s.ConsentDevice(t.Context(), strings.ToLower(d["user_code"].(string))); err != nil {
		t.Fatal(err)
	}
	r.clock.Add(time.Second)
	code, got := r.pollDevice(d)
	if code != "" || got["refresh_token"] == nil || got["id_token"] != nil || got["scope"] != "files.read mail.read" {
		t.Fatalf("after: %q %v", code, got["scope"])
	}
	r.clock.Add(time.Second)
	if code, _ := r.pollDevice(d); code != "invalid_grant" {
		t.Errorf("a second time: %s", code)
	}
	if st := r.stats(); st.Devices != 1 {
		t.Errorf("%+v", st)
	}
}

func TestDeviceFlowThatFails(t *testing.T) {
	t.Run("denied", func(t *testing.T) {
		r := newRig(t, acme())
		d := r.startDevice()
		if err := r.s.VisitDevice(t.Context(), d["user_code"].(string), sandbox.Visitor{Deny: true}); err != nil {
			t.Fatal(err)
		}
		if code, _ := r.pollDevice(d); code != "access_denied" {
			t.Errorf("got %s", code)
		}
	})
	t.Run("nobody came", func(t *testing.T) {
		r := newRig(t, acme())
		d := r.startDevice()
		r.clock.Add(15 * time.Minute)
		if code, _ := r.pollDevice(d); code != "expired_token" {
			t.Errorf("got %s", code)
		}
		if err := r.s.ConsentDevice(t.Context(), d["user_code"].(string)); err == nil || !strings.Contains(err.Error(), "expired") {
			t.Errorf("entering the code: %v", err)
		}
	})
	t.Run("polled too fast, the interval grows by five seconds", func(t *testing.T) {
		r := newRig(t, acme())
		d := r.startDevice()
		for i, step := range []struct {
			wait time.Duration
			want string
		}{
			{0, "authorization_pending"},
			{900 * time.Millisecond, "slow_down"},
			{5 * time.Second, "slow_down"},
			{11 * time.Second, "authorization_pending"},
		} {
			r.clock.Add(step.wait)
			if code, _ := r.pollDevice(d); code != step.want {
				t.Errorf("poll %d: %s, want %s", i, code, step.want)
			}
		}
	})
	t.Run("another client polls", func(t *testing.T) {
		r := newRig(t, acme())
		d := r.startDevice()
		_, got := r.post(issuer+"/token", url.Values{"grant_type": {deviceGrant}, "device_code": {d["device_code"].(string)}, "client_id": {"x"}})
		if got["error"] != "invalid_grant" {
			t.Errorf("got %v", got["error"])
		}
	})
	t.Run("wrong user code", func(t *testing.T) {
		r := newRig(t, acme())
		r.startDevice()
		if err := r.s.ConsentDevice(t.Context(), "AAAA-AAAA"); err == nil {
			t.Error("no error")
		}
		if resp := r.get(issuer + "/device?user_code=AAAA"); resp.StatusCode != http.StatusOK {
			t.Errorf("the page: %d", resp.StatusCode)
		}
	})
	t.Run("answered twice", func(t *testing.T) {
		r := newRig(t, acme())
		d := r.startDevice()
		code := d["user_code"].(string)
		if err := r.s.VisitDevice(t.Context(), code, sandbox.Visitor{Account: "alice@contoso.com"}); err != nil {
			t.Fatal(err)
		}
		if err := r.s.VisitDevice(t.Context(), code, sandbox.Visitor{Deny: true}); err == nil {
			t.Error("the second answer was taken")
		}
		_, got := r.pollDevice(d)
		_, who := r.do(http.MethodGet, issuer+"/userinfo", nil, "Authorization", "Bearer "+got["access_token"].(string))
		if who["email"] != "alice@contoso.com" {
			t.Errorf("signed in: %v", who)
		}
	})
}

// TestDeviceFlowOfAnotherClient lets golang.org/x/oauth2 poll.
func TestDeviceFlowOfAnotherClient(t *testing.T) {
	r := newRig(t, acme())
	r.conf.Endpoint.DeviceAuthURL = issuer + "/device_authorization"
	da, err := r.conf.DeviceAuth(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.s.ConsentDevice(t.Context(), da.UserCode); err != nil {
		t.Fatal(err)
	}
	tok, err := r.conf.DeviceAccessToken(r.ctx(), da)
	var e *oauth2.RetrieveError
	if errors.As(err, &e) || err != nil || !tok.Valid() {
		t.Errorf("%v", err)
	}
}
