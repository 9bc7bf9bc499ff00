package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/schema"
)

var (
	inCode    = regexp.MustCompile("`([^`]+)`")
	plainWord = regexp.MustCompile(`^[a-z_]+$`)
)

// The page for those who know Terraform names commands, options and blocks that
// are there, and all commands that are.
func TestTerraformPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "terraform.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands, options := map[string]bool{}, map[string]bool{}
	testTree().PersistentFlags().VisitAll(func(f *pflag.Flag) { options["-"+f.Name] = true })
	walk(testTree(), func(cmd *cobra.Command) {
		commands[commandName(cmd)] = true
		for _, name := range flagNames(cmd) {
			options["-"+name] = true
		}
	})
	named := map[string]bool{}
	for _, row := range rowsOf(string(text), "## Commands") {
		ours := row[1]
		if strings.TrimSpace(ours) == "the same" {
			ours = row[0]
		}
		checkCommands(t, ours, commands, options, named)
	}
	var missing []string
	walk(testTree(), func(cmd *cobra.Command) {
		name := commandName(cmd)
		if top, _, sub := strings.Cut(name, " "); name != "" && !sub && !named[top] {
			missing = append(missing, name)
		}
	})
	if len(missing) > 0 {
		t.Errorf("docs/terraform.md does not name %s", strings.Join(missing, ", "))
	}
	blocks := schema.Language()
	for _, row := range rowsOf(string(text), "## Language") {
		cell := row[1]
		if strings.TrimSpace(cell) == "the same" {
			cell = row[0]
		}
		for _, m := range inCode.FindAllStringSubmatch(cell, -1) {
			word, _, _ := strings.Cut(m[1], " ")
			if _, ok := blocks[word]; !ok && plainWord.MatchString(word) && !attributeOf(blocks, word) {
				t.Errorf("docs/terraform.md, Language: there is no %s", word)
			}
		}
	}
}

// checkCommands looks at each quoted command line of a cell: its words are
// commands, options of some command, or stand for something (in capitals).
func checkCommands(t *testing.T, cell string, commands, options, named map[string]bool) {
	t.Helper()
	for _, m := range inCode.FindAllStringSubmatch(strings.ReplaceAll(cell, `\|`, " "), -1) {
		line := strings.TrimPrefix(strings.NewReplacer("[", "", "]", "").Replace(m[1]), "oauthctl ")
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "*.") {
			continue
		}
		group := ""
		for _, w := range words {
			option, _, _ := strings.Cut(w, "=")
			switch {
			case strings.HasPrefix(w, "-"):
				if !options[option] {
					t.Errorf("docs/terraform.md: %s: no command has the option %s", m[1], option)
				}
			case w == strings.ToUpper(w): // a placeholder
			case commands[strings.TrimSpace(group+" "+w)]:
				if named[w] = true; group == "" {
					group = w
					named[group] = true
				}
			case commands[w]:
				named[w] = true
			case w == "blocks":
			default:
				t.Errorf("docs/terraform.md: %s: there is no command %q", m[1], w)
			}
		}
	}
}

// attributeOf reports a word that is an argument or block in one of the blocks.
func attributeOf(blocks map[string]schema.Nested, word string) bool {
	for _, b := range blocks {
		if b.Spec != nil && specHas(b.Spec, word) {
			return true
		}
	}
	return slices.Contains([]string{"dynamic", "state", "required_version"}, word)
}

func specHas(s *schema.Spec, word string) bool {
	for _, a := range s.Attrs {
		if a.Name == word {
			return true
		}
	}
	for _, n := range s.Blocks {
		if n.Type == word || n.Spec != nil && specHas(n.Spec, word) {
			return true
		}
	}
	return false
}

// rowsOf are the rows of the table below a heading, in cells.
func rowsOf(page, heading string) [][]string {
	_, text, _ := strings.Cut(page, heading+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var rows [][]string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| Terraform") {
			continue
		}
		line = strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "\x00")
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "\x00", `\|`)
		}
		rows = append(rows, cells)
	}
	return rows
}
