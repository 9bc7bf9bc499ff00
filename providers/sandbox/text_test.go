package sandbox

import (
	"reflect"
	"strings"
	"testing"
)

// Everything that a page can show of a request escapes itself.
func TestPagesShowNothingButText(t *testing.T) {
	var look func(path string, ty reflect.Type)
	look = func(path string, ty reflect.Type) {
		switch ty.Kind() {
		case reflect.Struct:
			for i := range ty.NumField() {
				look(path+"."+ty.Field(i).Name, ty.Field(i).Type)
			}
		case reflect.Slice:
			look(path, ty.Elem())
		case reflect.Bool:
		default:
			if ty != reflect.TypeFor[text]() && path != "page.CSS" {
				t.Errorf("%s is a %s, which would be shown as it is", path, ty)
			}
		}
	}
	look("page", reflect.TypeFor[page]())
	if got := text(`<a href="x" title='y'>&`).String(); strings.ContainsAny(got, `<>"'`) || strings.Contains(got, "& ") {
		t.Error(got)
	}
}
