package schema

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/txtar"
)

// The layout is the one that every tool for HCL gives, down to the last space.
func FuzzLayout(f *testing.F) {
	for _, text := range layouts {
		f.Add(text)
	}
	for _, pattern := range []string{"testdata/*/*.txtar", "../cmd/oauthctl/testdata/script/*.txtar"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for _, a := range archive.Files {
				f.Add(string(a.Data))
			}
		}
	}
	for _, pattern := range []string{"../providers/catalog/*.hcl", "../examples/*.hcl"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkBytes("a.hcl", []byte(text)) != nil {
			return
		}
		got, want := layout([]byte(text)), hclwrite.Format([]byte(text))
		if string(got) != string(want) {
			t.Errorf("%q\nbecomes %q\nwant    %q", text, got, want)
		}
	})
}

// What the words of the language do to the space between them.
var layouts = []string{
	"", "\n", "a", "  a=1  ", "a=1 # x", "a=1 // x\nlonger =  2#y\n", "\ta\t=\t1\n", "\r\na=1\r\n", "\ufeffa=1\n",
	"a=1\nlong=2\n\nx=3\n# c\ny_=4\n", "äöü=1 # x\ne\u0301=2 # y\n日本=3 # z\n",
	"a { b=1 }\nc \"d\" \"e\" {}\nf { }\n", "a {\nb {\nc=1\n}\n}\n", "a = {\nb=1,c=2\n}\n", "a={b=1,c={}}\n",
	"a = [\n1,\n[2,\n3],\n]\n", "a = foo([{\nb = 1\n}])\n", "a = foo({\nb = [\n1\n]})\n", "a = [\n[\n[\n1\n]]]\nb=1\n",
	"a=b+c-d*e/f%g\n", "a=-b - -c\n", "a=!b&&! c||d\n", "a=b==c!=d<e<=f>g>=h\n", "a=b?c:-d\n", "a=(-1)+( - 2 )\n", "a=[-1,- 2]\n", "a={b=-1,c : -2}\n",
	"a=b . c [ 0 ] . d [ * ] . e . *\n", "a=b()[0]\n", "a=[1] [0]\n", "a=f ( x , y ... )\n", "a=ns :: f (1)\n", "a=1 [0]\n", "a=\"x\" [0]\n",
	"a=[for x in[1]:x if x!=2]\n", "a={for k,v in {a=1}:k=>v...}\n", "a=in[0]\n", "a=b in[0]\n",
	"a=\"${ b }\"\n", "a=\"x ${b} y ${ ~ c ~ }\"\n", "a=\"${{b=1}}\"\n", "a=\"%{if x}y%{else}z%{endif}\"\n", "a=\"${b}${c}%{ if d }${e}%{endif}\"\n", "a=\"${\nb\n}\"\nc=1\n", "a=\"$${b} %%{c}\"\n",
	"a=<<E\n  x ${ b } y\nE\nc=1\n", "a = <<-E\n    x\n      y ${ {\n b=1 } }\n  E\nlong=2\n", "a = f(<<E\nx\nE\n)\nb=1\n", "a=<<E\n{ [ (\nE\nb=1\n", "x {\na=<<E\n}\nE\n}\n",
	"a= /* c */ 1\nbb=2 /* d */\n", "a = /* c\nd */ 1 # e\nbb = 2 # f\n", "/* x\ny */ a=1 # z\nb=2 # w\n", "a {# c\nb=1# d\n}# e\n", "# a\n  # b\n\n   # c\nd {\n# e\n}\n",
	"a=(\n1+\n2\n)\n", "a=b?\nc:\nd\n", "a = [ # c\n1, # d\n22, # e\n] # f\n", "a {\n}}\nb=1\n", "a = [[\n1]\n,2]\nb=1\n", "a=1,b=2\n", "a\n=1\n", "= 1\n", "a=b=c\n",
}
