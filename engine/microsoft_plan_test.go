package engine_test

import (
	"strings"
	"testing"
)

// What Microsoft would refuse after the consent is refused before anything is sent.
func TestMicrosoftRefusalsAtPlan(t *testing.T) {
	for _, c := range []struct {
		name, source, config, want string
	}{
		{"two resources", scopesOIDC, `scopes = ["User.Read", "openid", "https://contoso.sharepoint.com/AllSites.Read"]`,
			"Scopes of several resources: A token of Microsoft Entra ID is for one resource, and these scopes name 2: " +
				"https://graph.microsoft.com (User.Read) and https://contoso.sharepoint.com (https://contoso.sharepoint.com/AllSites.Read). Split the connection"},
		{"one resource, spelt in four ways", scopesOIDC,
			`scopes = ["User.Read", "https://graph.microsoft.com/Mail.Read", "HTTPS://graph.microsoft.com//Files.Read", "00000003-0000-0000-c000-000000000000/Calendars.Read"]`, ""},
		{"OpenID Connect beside another resource", scopesOIDC, `scopes = ["openid", "profile", "email", "offline_access", "api://backend/read"]`, ""},
		{"short names belong to the cloud's Graph", clouds, "cloud = \"us-gov\"\n scopes = [\"User.Read\", \"https://graph.microsoft.us/Mail.Read\"]", ""},
		{"and not to another cloud's", clouds, "cloud = \"us-dod\"\n scopes = [\"User.Read\", \"https://graph.microsoft.com/Mail.Read\"]",
			"name 2: https://dod-graph.microsoft.us (User.Read) and https://graph.microsoft.com (https://graph.microsoft.com/Mail.Read)"},
		{".default beside others", scopesOIDC, `scopes = ["https://graph.microsoft.com/.default", "User.Read"]`,
			"Scope .default beside others: https://graph.microsoft.com/.default asks for everything that the registration lists"},
		{".default of a resource that ends in a slash", scopesOIDC, `scopes = ["https://management.core.windows.net//.default", "openid"]`, ""},
		{"the parameter of the old endpoints", errorNumbers, "scopes = [\"User.Read\"]\n resource = [\"https://graph.microsoft.com\"]",
			"AADSTS901002: the v2.0 endpoints take the resource from the scopes. Remove resource, and write scopes = [\"https://graph.microsoft.com/.default\"]"},
		{"the same as a parameter", errorNumbers, "scopes = [\"User.Read\"]\n token_params = { resource = \"https://graph.microsoft.com\" }", "AADSTS901002"},
		{"client credentials with single scopes", credentials,
			"tenant = \"contoso.com\"\n client_secret = env(\"A\")\n scopes = [\"User.Read\"]\n grant \"client_credentials\" {}",
			`takes RESOURCE/.default and nothing else`},
		{"client credentials without scopes", credentials,
			"tenant = \"contoso.com\"\n client_secret = env(\"A\")\n grant \"client_credentials\" {}", `Write scopes = ["https://graph.microsoft.com/.default"]`},
		{"client credentials for two resources", credentials,
			"tenant = \"contoso.com\"\n client_secret = env(\"A\")\n scopes = [\"https://graph.microsoft.com/.default\", \"api://backend/.default\"]\n grant \"client_credentials\" {}",
			"Scopes of several resources"},
		{"client credentials without a tenant", credentials,
			"client_secret = env(\"A\")\n scopes = [\"https://graph.microsoft.com/.default\"]\n grant \"client_credentials\" {}",
			`Client credentials without a tenant: With client_credentials the client signs in to one tenant, and "common" is none (AADSTS9001023)`},
		{"client credentials for personal accounts", personal,
			"tenant = \"consumers\"\n client_secret = env(\"A\")\n scopes = [\"https://graph.microsoft.com/.default\"]\n grant \"client_credentials\" {}",
			`"consumers" is none`},
		{"personal accounts in a national cloud", personal, "tenant = \"consumers\"\n cloud = \"china\"\n scopes = [\"User.Read\"]",
			`No personal accounts in a national cloud`},
		{"a query in the redirect URI of personal accounts", personal, "tenant = \"consumers\"\n scopes = [\"User.Read\"]\n redirect_uris = [\"https://a.example/cb?x=1\"]",
			"Remove the query"},
		{"characters that cannot be registered", replyURL, "scopes = [\"User.Read\"]\n redirect_uris = [\"https://a.example/cb(1)\"]", "one of the characters"},
		{"too long", replyURL, "scopes = [\"User.Read\"]\n redirect_uris = [\"https://a.example/" + strings.Repeat("x", 250) + "\"]", "at most 256 characters"},
		{"a loopback host that cannot be registered", replyURL, "scopes = [\"User.Read\"]\n redirect_uris = [\"http://[::1]/cb\"]", "does not accept ::1"},
		{"a single-page application with a secret", replyURL, "application_type = \"spa\"\n client_secret = env(\"A\")\n scopes = [\"User.Read\"]",
			"Secret of a single-page application: Microsoft Entra ID refuses a secret"},
		{"a single-page application on another platform", replyURL, "application_type = \"spa\"\n scopes = [\"User.Read\"]\n redirect_uris = [\"msal1111://auth\"]",
			"has no web origin"},
		{"a single-page application without a browser", replyURL, "application_type = \"spa\"\n scopes = [\"User.Read\"]\n grant \"device_code\" {}",
			"has the grant authorization_code only, not device_code"},
		{"a cloud that does not exist", clouds, "cloud = \"germany\"\n scopes = [\"User.Read\"]", `The argument cloud does not accept "germany"`},
		{"claims that are no object", codeFlow, "scopes = [\"User.Read\"]\n grant \"authorization_code\" {\n claims = \"acr\"\n }", "Write it with jsonencode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newKit(t).problems(microsoft("\n" + c.config))
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%s: want %q, got\n%s", c.source, c.want, got)
			}
		})
	}
}
