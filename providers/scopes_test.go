package providers_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers"
)

const scopesPage = "../docs/providers/sharepoint.md"

// The page's table of scopes is made from the data.
func TestScopesPage(t *testing.T) {
	text, err := os.ReadFile(scopesPage)
	if err != nil {
		t.Fatal(err)
	}
	const end = "<!-- /scopes -->"
	head, rest, ok := strings.Cut(string(text), "-update -->\n")
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the page has no place for the table")
	}
	want := head + "-update -->\n" + scopesTable() + end + tail
	if *update {
		if err := os.WriteFile(scopesPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("%s is stale; run: go test ./providers -run Scope -update", scopesPage)
	}
}

// scopesTable has a line for each alias: rights and successors in the same order.
func scopesTable() string {
	var b strings.Builder
	b.WriteString("| alias | URI | rights | Entra ID, delegated | Entra ID, application | what changes |\n|---|---|---|---|---|---|\n")
	rows := providers.ScopeTable()
	for i := 0; i < len(rows); i += len(rows[i].Rights) {
		r := rows[i]
		var delegated, application []string
		for _, one := range rows[i : i+len(r.Rights)] {
			delegated, application = append(delegated, successor(one.Delegated)), append(application, successor(one.Application))
		}
		var remarks []string
		for _, s := range []string{r.Wider, r.Narrower, r.Caveat} {
			if s != "" {
				remarks = append(remarks, s)
			}
		}
		if r.Narrower != "" {
			remarks[1] = "narrower: " + remarks[1]
		}
		if r.Wider != "" {
			remarks[0] = "wider: " + remarks[0]
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s | %s |\n", r.Alias, r.URI, strings.Join(r.Rights, ", "),
			together(delegated), together(application), cell(strings.Join(remarks, "; ")))
	}
	b.WriteString("\n† An administrator has to consent. The ids of the permissions: `oauthctl explain scope`.\n")
	return b.String()
}

func successor(s *providers.Successor) string {
	switch {
	case s == nil:
		return "none"
	case s.Admin:
		return "`" + s.Name + "`†"
	}
	return "`" + s.Name + "`"
}

// together says once what is the same for every right.
func together(names []string) string {
	for _, n := range names {
		if n != names[0] {
			return strings.Join(names, ", ")
		}
	}
	return names[0]
}

// What is explained, and what is said of what cannot be.
func TestExplainScopes(t *testing.T) {
	rows, err := providers.ExplainScopes(" web.READ,List.Write\n")
	if err != nil || len(rows) != 2 || rows[0].Scope != "Web.Read" || rows[1].URI != "http://sharepoint/content/sitecollection/web/list" {
		t.Errorf("%+v, %v", rows, err)
	}
	if _, err := providers.ExplainScopes("Web.Read Lst.Write"); err == nil || !strings.Contains(err.Error(), `Did you mean "List.Write"?`) {
		t.Errorf("%v", err)
	}
}
