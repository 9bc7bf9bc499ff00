package engine_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/plan"
)

var hclBlock = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// Every HCL block of a provider's page is a configuration that can be planned,
// and every link in the pages leads to a file of the repository.
func TestProviderPages(t *testing.T) {
	for _, page := range []string{"microsoft", "onedrive", "customer-subdomains", "troubleshooting"} {
		text, err := os.ReadFile("../docs/providers/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		for n, block := range hclBlock.FindAllStringSubmatch(string(text), -1) {
			i := newImitated(t, block[1])
			if diags := i.engine.Validate(i.ctx, i.cfg); len(diags) > 0 {
				t.Errorf("%s, block %d: %v", page, n+1, diags)
			}
			if p := i.plan(i.cfg, plan.Options{}); p.Counts().Authorize != len(i.cfg.Connections) {
				t.Errorf("%s, block %d: %+v", page, n+1, p.Counts())
			}
		}
		for _, link := range regexp.MustCompile(`\]\(([^):#]+)(#[^)]*)?\)`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat("../docs/providers/" + link[1]); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
		if strings.Contains(string(text), "\t") {
			t.Errorf("%s has a tab", page)
		}
	}
}
