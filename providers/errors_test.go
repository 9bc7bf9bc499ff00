package providers_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/providers"
)

// Every entry says all it should, once.
func TestErrorCatalogue(t *testing.T) {
	all := providers.Errors()
	seen := map[string]bool{}
	count := map[string]int{}
	for _, e := range all {
		key := e.Family + " " + e.Code
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		count[e.Family]++
		for what, text := range map[string]string{"name": e.Name, "meaning": e.Meaning, "cause": e.Cause, "remedy": e.Remedy, "server": e.Server} {
			if strings.TrimSpace(text) != text || text == "" {
				t.Errorf("%s: the %s is %q", key, what, text)
			}
		}
		for what, text := range map[string]string{"meaning": e.Meaning, "cause": e.Cause, "remedy": e.Remedy} {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s: the %s is no sentence: %q", key, what, text)
			}
		}
		if !slices.Contains([]string{"person", "administrator", "configuration", "retry"}, e.Needs) {
			t.Errorf("%s needs %q", key, e.Needs)
		}
		if u, err := url.Parse(e.Source); err != nil || u.Scheme != "https" || u.Host == "" {
			t.Errorf("%s: the source is %q", key, e.Source)
		}
	}
	for family, least := range map[string]int{"aadsts": 100, "oauth": 25, "oidc": 5, "acs": 5, "servicenow": 2, "github": 5, "slack": 5} {
		if count[family] < least {
			t.Errorf("the family %s has %d entries, want %d or more", family, count[family], least)
		}
	}
}

// Every code is found by itself, in a sentence and in a body, and explains a
// failed request.
func TestEveryErrorIsFound(t *testing.T) {
	for _, e := range providers.Errors() {
		for _, text := range []string{e.Code, strings.ToLower(e.Code), " " + e.Code + "\n"} {
			if found, _ := providers.FindErrors(text); !has(found, e.Family, e.Code) {
				t.Errorf("%q does not find %s of %s", text, e.Code, e.Family)
			}
		}
		if h, ok := providers.Explain(nil, e.Code, ""); !ok || h.Cause == "" || h.Remedy == "" {
			t.Errorf("%s explains nothing", e.Code)
		}
	}
}

func has(found []providers.KnownError, family, code string) bool {
	return slices.ContainsFunc(found, func(e providers.KnownError) bool { return e.Family == family && e.Code == code })
}

func TestFindErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		text    string
		want    string // family/code, by spaces
		unknown string
	}{
		"a code":                      {"invalid_grant", "oauth/invalid_grant", ""},
		"a number":                    {"AADSTS65001", "aadsts/AADSTS65001", ""},
		"digits":                      {"65001", "aadsts/AADSTS65001", ""},
		"the vendor's name":           {"InvalidReplyTo", "aadsts/AADSTS50011", ""},
		"one code of two servers":     {"server_error", "oauth/server_error servicenow/server_error", ""},
		"ServiceNow's catch-all":      {`{"error_description":"access_denied","error":"server_error"}`, "servicenow/server_error", ""},
		"a sentence":                  {"oauth: cannot fetch token: AADSTS7000215: Invalid client secret provided.", "aadsts/AADSTS7000215", ""},
		"a longer number is another":  {"AADSTS700021: no", "", "AADSTS700021"},
		"a body of Microsoft's":       {microsoftBody, "aadsts/AADSTS50076 aadsts/basic_action oauth/invalid_grant", ""},
		"a body in a string":          {fmt.Sprintf("%q", microsoftBody), "aadsts/AADSTS50076 aadsts/basic_action oauth/invalid_grant", ""},
		"error_codes alone":           {`{"error_codes":[65001, 50076]}`, "aadsts/AADSTS65001 aadsts/AADSTS50076", ""},
		"a link to Microsoft's page":  {"see https://login.microsoftonline.com/error?code=50058", "aadsts/AADSTS50058", ""},
		"the address bar":             {"http://localhost:8085/?error=access_denied&error_description=AADSTS65004%3a+User+declined&state=x", "aadsts/AADSTS65004 oauth/access_denied", ""},
		"a header":                    {`WWW-Authenticate: Bearer error="insufficient_scope", scope="a"`, "oauth/insufficient_scope", ""},
		"an old number of ACS":        {`{"error":"invalid_client","error_description":"ACS50012: Authentication failed. \r\nTrace ID: 1"}`, "acs/ACS50012 oauth/invalid_client", ""},
		"words":                       {"Token type is not allowed.", "acs/invalid_request", ""},
		"GitHub's form":               {"error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.", "github/bad_verification_code", ""},
		"Slack's object":              {`{"ok":false,"error":"bad_redirect_uri"}`, "slack/bad_redirect_uri", ""},
		"two codes":                   {"first invalid_scope, then AADSTS50011", "aadsts/AADSTS50011 oauth/invalid_scope", ""},
		"a code of nobody":            {"invalid_grand", "", "invalid_grand"},
		"a number of nobody":          {"AADSTS99999999", "", "AADSTS99999999"},
		"a code of nobody in a body":  {`{"error":"quota_used_up"}`, "", "quota_used_up"},
		"the known beside the others": {`{"error":"quota_used_up","error_description":"AADSTS65001"}`, "aadsts/AADSTS65001", "quota_used_up"},
		"no code":                     {"hello world", "", ""},
		"nothing":                     {" \n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, unknown := providers.FindErrors(tc.text)
			var got, others []string
			for _, e := range found {
				got = append(got, e.Family+"/"+e.Code)
			}
			for _, u := range unknown {
				others = append(others, u.Code)
			}
			if d := cmp.Diff([]string{tc.want, tc.unknown}, []string{strings.Join(got, " "), strings.Join(others, " ")}); d != "" {
				t.Errorf("%s (-want +got):\n%s", tc.text, d)
			}
		})
	}
}

const microsoftBody = `{"error":"invalid_grant","error_description":"AADSTS50076: Due to a configuration change made by your administrator, you must use multi-factor authentication.\r\nTrace ID: 0000aaaa\r\nTimestamp: 2026-11-23 09:00:00Z","error_codes":[50076],"suberror":"basic_action","error_uri":"https://login.microsoftonline.com/error?code=50076"}`

// Codes that nobody knows come with what is spelt like them.
func TestSimilarErrors(t *testing.T) {
	_, unknown := providers.FindErrors("invalid_gramt")
	if len(unknown) != 1 || !slices.Contains(unknown[0].Similar, "invalid_grant") {
		t.Errorf("similar to invalid_gramt: %+v", unknown)
	}
	_, unknown = providers.FindErrors("AADSTS99999999")
	if len(unknown) != 1 || unknown[0].More != "https://login.microsoftonline.com/error?code=99999999" || len(unknown[0].Similar) > 0 {
		t.Errorf("AADSTS99999999: %+v", unknown)
	}
}

// A number says nothing to the program: no decision may follow from it.
func TestNumbersDecideNothing(t *testing.T) {
	h, ok := providers.Explain(nil, "invalid_grant", "AADSTS53003: blocked")
	if !ok || !h.Advice {
		t.Errorf("Explain = %+v, %v", h, ok)
	}
	if h, ok := providers.Explain(nil, "slow_down", ""); !ok || h.Advice {
		t.Errorf("Explain = %+v, %v", h, ok)
	}
}

// docs/errors.md is written from the catalogue: go test ./providers -run ErrorsPage -update.
func TestErrorsPage(t *testing.T) {
	const file = "../docs/errors.md"
	want := errorsPage()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the catalogue says; write it with: go test ./providers -run ErrorsPage -update", file)
	}
}

func errorsPage() []byte {
	var b bytes.Buffer
	b.WriteString("# Errors of servers\n\nWritten from the catalogue in `providers/errors`. `oauthctl explain CODE_OR_MESSAGE` shows an entry, " +
		"and every failed command shows the cause and the remedy.\n\n" +
		"*Needs* says who or what can help: a **person** who consents or signs in, an **administrator** of the server, " +
		"a change of the **configuration** or of the client's registration, or a **retry** later.\n\n" +
		"What oauthctl does next follows from `error` and `suberror` alone (RFC 6749 §5.2). Numbers such as AADSTS65001 are for people: vendors change them.\n")
	all := providers.Errors()
	for i, e := range all {
		if i == 0 || all[i-1].Family != e.Family {
			fmt.Fprintf(&b, "\n## %s\n\n| Code | Meaning | Likely cause | What to do | Needs |\n|---|---|---|---|---|\n", e.Server)
		}
		fmt.Fprintf(&b, "| [`%s`](%s)<br>%s | %s | %s | %s | %s |\n", e.Code, e.Source, tableCell(e.Name), tableCell(e.Meaning), tableCell(e.Cause), tableCell(e.Remedy), e.Needs)
	}
	return b.Bytes()
}

func tableCell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(s)
}

// Whatever is pasted, the answer is ordered, without repetition, and small.
func FuzzFindErrors(f *testing.F) {
	for _, s := range []string{
		"invalid_grant", "65001", microsoftBody, `{"error":{"code":401,"status":"UNAUTHENTICATED"}}`, "error=%zz&error_description=AADSTS50011%",
		"AADSTS: 65001", "\\nAADSTS65001", "\x00\x1b[2J\xff", "[[[[[[[[", `{"error_codes":[65001,65001]}`, "ACS50012 AADSTS50012",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, unknown := providers.FindErrors(text)
		seen := map[string]bool{}
		for _, e := range found {
			if key := e.Family + e.Code; seen[key] {
				t.Errorf("%s is found twice", key)
			} else {
				seen[key] = true
			}
		}
		for _, u := range unknown {
			if u.Code == "" || !strings.Contains(strings.ToUpper(text), strings.TrimPrefix(strings.TrimPrefix(strings.ToUpper(u.Code), "AADSTS"), "ACS")) && !strings.ContainsAny(text, `\%+`) {
				t.Errorf("the unknown code %q does not stand in the message", u.Code)
			}
			if len(u.Similar) > 3 {
				t.Errorf("%d codes are similar", len(u.Similar))
			}
		}
		again, _ := providers.FindErrors(text)
		if d := cmp.Diff(len(found), len(again)); d != "" {
			t.Error(d)
		}
	})
}
