/* The metaschemas of draft 2020-12. Made by schema_meta_tables.py. */
#include "json/schema_meta.h"

#include <stddef.h>

/* clang-format off */
const struct schema_meta schema_meta_2020[] = {
	{ "https://json-schema.org/draft/2020-12/schema",
	  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"h"
	  "ttps://json-schema.org/draft/2020-12/schema\",\"$vocabulary\":{\"https"
	  "://json-schema.org/draft/2020-12/vocab/core\":true,\"https://json-sc"
	  "hema.org/draft/2020-12/vocab/applicator\":true,\"https://json-schema"
	  ".org/draft/2020-12/vocab/unevaluated\":true,\"https://json-schema.or"
	  "g/draft/2020-12/vocab/validation\":true,\"https://json-schema.org/dr"
	  "aft/2020-12/vocab/meta-data\":true,\"https://json-schema.org/draft/2"
	  "020-12/vocab/format-annotation\":true,\"https://json-schema.org/draf"
	  "t/2020-12/vocab/content\":true},\"$dynamicAnchor\":\"meta\",\"allOf\":[{\""
	  "$ref\":\"meta/core\"},{\"$ref\":\"meta/applicator\"},{\"$ref\":\"meta/uneval"
	  "uated\"},{\"$ref\":\"meta/validation\"},{\"$ref\":\"meta/meta-data\"},{\"$re"
	  "f\":\"meta/format-annotation\"},{\"$ref\":\"meta/content\"}],\"type\":[\"obj"
	  "ect\",\"boolean\"],\"properties\":{\"definitions\":{\"type\":\"object\",\"addi"
	  "tionalProperties\":{\"$dynamicRef\":\"#meta\"},\"deprecated\":true,\"defau"
	  "lt\":{}},\"dependencies\":{\"type\":\"object\",\"additionalProperties\":{\"a"
	  "nyOf\":[{\"$dynamicRef\":\"#meta\"},{\"$ref\":\"meta/validation#/$defs/str"
	  "ingArray\"}]},\"deprecated\":true,\"default\":{}},\"$recursiveAnchor\":{\""
	  "$ref\":\"meta/core#/$defs/anchorString\",\"deprecated\":true},\"$recursi"
	  "veRef\":{\"$ref\":\"meta/core#/$defs/uriReferenceString\",\"deprecated\":"
	  "true}}}" },
	{ "https://json-schema.org/draft/2020-12/meta/applicator",
	  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"h"
	  "ttps://json-schema.org/draft/2020-12/meta/applicator\",\"$vocabulary"
	  "\":{\"https://json-schema.org/draft/2020-12/vocab/applicator\":true},"
	  "\"$dynamicAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],\"properties\":{"
	  "\"prefixItems\":{\"$ref\":\"#/$defs/schemaArray\"},\"items\":{\"$dynamicRef"
	  "\":\"#meta\"},\"contains\":{\"$dynamicRef\":\"#meta\"},\"additionalPropertie"
	  "s\":{\"$dynamicRef\":\"#meta\"},\"properties\":{\"type\":\"object\",\"addition"
	  "alProperties\":{\"$dynamicRef\":\"#meta\"},\"default\":{}},\"patternProper"
	  "ties\":{\"type\":\"object\",\"additionalProperties\":{\"$dynamicRef\":\"#met"
	  "a\"},\"propertyNames\":{\"format\":\"regex\"},\"default\":{}},\"dependentSch"
	  "emas\":{\"type\":\"object\",\"additionalProperties\":{\"$dynamicRef\":\"#met"
	  "a\"},\"default\":{}},\"propertyNames\":{\"$dynamicRef\":\"#meta\"},\"if\":{\"$"
	  "dynamicRef\":\"#meta\"},\"then\":{\"$dynamicRef\":\"#meta\"},\"else\":{\"$dyna"
	  "micRef\":\"#meta\"},\"allOf\":{\"$ref\":\"#/$defs/schemaArray\"},\"anyOf\":{\""
	  "$ref\":\"#/$defs/schemaArray\"},\"oneOf\":{\"$ref\":\"#/$defs/schemaArray\""
	  "},\"not\":{\"$dynamicRef\":\"#meta\"}},\"$defs\":{\"schemaArray\":{\"type\":\"a"
	  "rray\",\"minItems\":1,\"items\":{\"$dynamicRef\":\"#meta\"}}}}" },
	{ "https://json-schema.org/draft/2020-12/meta/content",
	  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"h"
	  "ttps://json-schema.org/draft/2020-12/meta/content\",\"$vocabulary\":{"
	  "\"https://json-schema.org/draft/2020-12/vocab/content\":true},\"$dyna"
	  "micAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],\"properties\":{\"conte"
	  "ntEncoding\":{\"type\":\"string\"},\"contentMediaType\":{\"type\":\"string\"}"
	  ",\"contentSchema\":{\"$dynamicRef\":\"#meta\"}}}" },
	{ "https://json-schema.org/draft/2020-12/meta/core",
	  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"h"
	  "ttps://json-schema.org/draft/2020-12/meta/core\",\"$vocabulary\":{\"ht"
	  "tps://json-schema.org/draft/2020-12/vocab/core\":true},\"$dynamicAnc"
	  "hor\":\"meta\",\"type\":[\"object\",\"boolean\"],\"properties\":{\"$id\":{\"$ref"
	  "\":\"#/$defs/uriReferenceString\",\"pattern\":\"^[^#]*#?$\"},\"$schema\":{\""
	  "$ref\":\"#/$defs/uriString\"},\"$ref\":{\"$ref\":\"#/$defs/uriReferenceStr"
	  "ing\"},\"$anchor\":{\"$ref\":\"#/$defs/anchorString\"},\"$dynamicRef\":{\"$r"
	  "ef\":\"#/$defs/uriReferenceString\"},\"$dynamicAnchor\":{\"$ref\":\"#/$def"
	  "s/anchorString\"},\"$vocabulary\":{\"type\":\"object\",\"propertyNames\":{\""
	  "$ref\":\"#/$defs/uriString\"},\"additionalProperties\":{\"type\":\"boolean"
	  "\"}},\"$comment\":{\"type\":\"string\"},\"$defs\":{\"type\":\"object\",\"additio"
	  "nalProperties\":{\"$dynamicRef\":\"#meta\"}}},\"$defs\":{\"anchorString\":{"
	  "\"type\":\"string\",\"pattern\":\"^[A-Za-z_][-A-Za-z0-9._]*$\"},\"uriString"
	  "\":{\"type\":\"string\",\"format\":\"uri\"},\"uriReferenceString\":{\"type\":\"s"
	  "tring\",\"format\":\"uri-reference\"}}}" },
	{ "https://json-schema.org/draft/2020-12/meta/format-annotation",
	  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"h"
	  "ttps://json-schema.org/draft/2020-12/meta/format-annotation\",\"$voc"
	  "abulary\":{\"https://json-schema.org/draft/2020-12/vocab/format-anno"
	  "tation\":true},\"$dynamicAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],"
	  "\"properties\":{\"format\":{\"type\":\"string\"}}}" },
	{ "https://json-schema.org/draft/2020-12/meta/meta-data",
	  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"h"
	  "ttps://json-schema.org/draft/2020-12/meta/meta-data\",\"$vocabulary\""
	  ":{\"https://json-schema.org/draft/2020-12/vocab/meta-data\":true},\"$"
	  "dynamicAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],\"properties\":{\"t"
	  "itle\":{\"type\":\"string\"},\"description\":{\"type\":\"string\"},\"default\":"
	  "true,\"deprecated\":{\"type\":\"boolean\",\"default\":false},\"readOnly\":{\""
	  "type\":\"boolean\",\"default\":false},\"writeOnly\":{\"type\":\"boolean\",\"de"
	  "fault\":false},\"examples\":{\"type\":\"array\",\"items\":true}}}" },
	{ "https://json-schema.org/draft/2020-12/meta/unevaluated",
	  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"h"
	  "ttps://json-schema.org/draft/2020-12/meta/unevaluated\",\"$vocabular"
	  "y\":{\"https://json-schema.org/draft/2020-12/vocab/unevaluated\":true"
	  "},\"$dynamicAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],\"properties\""
	  ":{\"unevaluatedItems\":{\"$dynamicRef\":\"#meta\"},\"unevaluatedPropertie"
	  "s\":{\"$dynamicRef\":\"#meta\"}}}" },
	{ "https://json-schema.org/draft/2020-12/meta/validation",
	  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"h"
	  "ttps://json-schema.org/draft/2020-12/meta/validation\",\"$vocabulary"
	  "\":{\"https://json-schema.org/draft/2020-12/vocab/validation\":true},"
	  "\"$dynamicAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],\"properties\":{"
	  "\"type\":{\"anyOf\":[{\"$ref\":\"#/$defs/simpleTypes\"},{\"type\":\"array\",\"i"
	  "tems\":{\"$ref\":\"#/$defs/simpleTypes\"},\"minItems\":1,\"uniqueItems\":tr"
	  "ue}]},\"const\":true,\"enum\":{\"type\":\"array\",\"items\":true},\"multipleO"
	  "f\":{\"type\":\"number\",\"exclusiveMinimum\":0},\"maximum\":{\"type\":\"numbe"
	  "r\"},\"exclusiveMaximum\":{\"type\":\"number\"},\"minimum\":{\"type\":\"number"
	  "\"},\"exclusiveMinimum\":{\"type\":\"number\"},\"maxLength\":{\"$ref\":\"#/$de"
	  "fs/nonNegativeInteger\"},\"minLength\":{\"$ref\":\"#/$defs/nonNegativeIn"
	  "tegerDefault0\"},\"pattern\":{\"type\":\"string\",\"format\":\"regex\"},\"maxI"
	  "tems\":{\"$ref\":\"#/$defs/nonNegativeInteger\"},\"minItems\":{\"$ref\":\"#/"
	  "$defs/nonNegativeIntegerDefault0\"},\"uniqueItems\":{\"type\":\"boolean\""
	  ",\"default\":false},\"maxContains\":{\"$ref\":\"#/$defs/nonNegativeIntege"
	  "r\"},\"minContains\":{\"$ref\":\"#/$defs/nonNegativeInteger\",\"default\":1"
	  "},\"maxProperties\":{\"$ref\":\"#/$defs/nonNegativeInteger\"},\"minProper"
	  "ties\":{\"$ref\":\"#/$defs/nonNegativeIntegerDefault0\"},\"required\":{\"$"
	  "ref\":\"#/$defs/stringArray\"},\"dependentRequired\":{\"type\":\"object\",\""
	  "additionalProperties\":{\"$ref\":\"#/$defs/stringArray\"}}},\"$defs\":{\"n"
	  "onNegativeInteger\":{\"type\":\"integer\",\"minimum\":0},\"nonNegativeInte"
	  "gerDefault0\":{\"$ref\":\"#/$defs/nonNegativeInteger\",\"default\":0},\"si"
	  "mpleTypes\":{\"enum\":[\"array\",\"boolean\",\"integer\",\"null\",\"number\",\"o"
	  "bject\",\"string\"]},\"stringArray\":{\"type\":\"array\",\"items\":{\"type\":\"s"
	  "tring\"},\"uniqueItems\":true,\"default\":[]}}}" },
	{ NULL, NULL },
};
/* clang-format on */
