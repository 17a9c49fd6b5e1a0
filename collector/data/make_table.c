/* Compile lists that others keep into one C table (collector/agent_table.h), so that the product
 * reads no file and no YAML when it runs:
 *
 *     make_table regexes.yaml crawlers.txt signs.txt referrer-spammers.txt agent_table.c
 *
 * Used while building only; whatever it does not understand ends the build with a line that says
 * where. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "collector/agent_table.h"
#include "collector/data/needs.h"

#define RULES_MAX      4096
#define NEEDS_ALL_MAX  65535 /* agent_rule.first_need is 16 bits wide */
#define LINE_BYTES_MAX 4096

struct rule {
    char *pattern;
    char *name; /* NULL: none given */
    bool ignores_case;
};

static struct rule rules[RULES_MAX];
static size_t n_rules;
static size_t set_begins[AGENT_SET_COUNT + 1];

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void
fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("make_table: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static char *
copy(const char *text)
{
    char *p = strdup(text);

    if (!p)
        fail("out of memory");
    return p;
}

static void
add_rule(struct rule rule)
{
    if (n_rules == RULES_MAX)
        fail("more than %d rules", RULES_MAX);
    rules[n_rules++] = rule;
}

static FILE *
open_file(const char *path)
{
    FILE *in = fopen(path, "rb");

    if (!in)
        fail("%s: cannot be read", path);
    return in;
}

/* ---- uap-core: three lists of {regex, regex_flag, <what>_replacement, ...} ---- */

static const struct {
    const char *list;
    const char *name; /* the key that holds the family's name */
} uap[] = {
    [AGENT_BROWSER] = {"user_agent_parsers", "family_replacement"},
    [AGENT_OS] = {"os_parsers", "os_replacement"},
    [AGENT_DEVICE] = {"device_parsers", "device_replacement"},
};

static const char *
scalar(yaml_document_t *doc, int index)
{
    yaml_node_t *node = yaml_document_get_node(doc, index);

    if (!node || node->type != YAML_SCALAR_NODE)
        fail("regexes.yaml: a text was expected");
    return (const char *)node->data.scalar.value;
}

static void
read_uap_rule(yaml_document_t *doc, yaml_node_t *map, const char *name_key)
{
    struct rule rule = {0};

    if (!map || map->type != YAML_MAPPING_NODE)
        fail("regexes.yaml: a rule was expected");
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const char *key = scalar(doc, p->key), *value = scalar(doc, p->value);

        if (strcmp(key, "regex") == 0)
            rule.pattern = copy(value);
        else if (strcmp(key, name_key) == 0)
            rule.name = copy(value);
        else if (strcmp(key, "regex_flag") == 0)
            rule.ignores_case = strcmp(value, "i") == 0;
    }
    if (!rule.pattern)
        fail("regexes.yaml: line %zu: a rule without a regex", map->start_mark.line + 1);
    add_rule(rule);
}

static void
read_uap_list(yaml_document_t *doc, enum agent_set set)
{
    yaml_node_t *root = yaml_document_get_root_node(doc);

    set_begins[set] = n_rules;
    if (!root || root->type != YAML_MAPPING_NODE)
        fail("regexes.yaml: is no map of lists");
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
         p++) {
        yaml_node_t *list = yaml_document_get_node(doc, p->value);

        if (strcmp(scalar(doc, p->key), uap[set].list) != 0 || list->type != YAML_SEQUENCE_NODE)
            continue;
        for (yaml_node_item_t *i = list->data.sequence.items.start;
             i < list->data.sequence.items.top; i++)
            read_uap_rule(doc, yaml_document_get_node(doc, *i), uap[set].name);
    }
    if (n_rules == set_begins[set])
        fail("regexes.yaml: no %s", uap[set].list);
}

static void
read_uap(const char *path)
{
    FILE *in = open_file(path);
    yaml_parser_t parser;
    yaml_document_t doc;

    if (!yaml_parser_initialize(&parser))
        fail("out of memory");
    yaml_parser_set_input_file(&parser, in);
    if (!yaml_parser_load(&parser, &doc))
        fail("%s: line %zu: %s", path, parser.problem_mark.line + 1, parser.problem);
    for (enum agent_set set = AGENT_BROWSER; set <= AGENT_DEVICE; set++)
        read_uap_list(&doc, set);
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
    fclose(in);
}

/* ---- Lists of lines ---- */

/* The next line that is neither empty nor a comment, without its end; false at the file's. */
static bool
next_line(FILE *in, const char *path, char line[LINE_BYTES_MAX])
{
    while (fgets(line, LINE_BYTES_MAX, in)) {
        size_t n = strcspn(line, "\n");

        if (line[n] != '\n')
            fail("%s: a line too long or without an end", path);
        line[n] = '\0';
        if (n > 0 && line[0] != '#')
            return true;
    }
    return false;
}

/* "pattern" or "pattern<TAB>name"; the name is what bots are flagged with. */
static void
read_lines(const char *path, enum agent_set set, const char *says, bool ignores_case)
{
    FILE *in = open_file(path);
    char line[LINE_BYTES_MAX], name[LINE_BYTES_MAX + 32];

    set_begins[set] = n_rules;
    while (next_line(in, path, line)) {
        char *tab = strchr(line, '\t');
        size_t n = (size_t)sprintf(name, "%s ", says);

        if (tab)
            *tab = '\0';
        for (const char *p = tab ? tab + 1 : line; *p; p++)
            if (*p != '\\')
                name[n++] = *p;
        name[n] = '\0';
        add_rule((struct rule){copy(line), copy(name), ignores_case});
    }
    fclose(in);
}

/* ---- Out ---- */

static void
print_text(const char *text)
{
    if (!text) {
        fputs("NULL", stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '?') /* ? begins trigraphs */
            printf("\\%03o", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void
print_rule(const struct rule *rule, size_t first_need, size_t n_needs)
{
    char text[LINE_BYTES_MAX];
    bool is_text = !rule->ignores_case && strlen(rule->pattern) < sizeof text &&
                   needs_is_text(rule->pattern, text);

    fputs("    {", stdout);
    print_text(is_text ? text : rule->pattern);
    fputs(", ", stdout);
    print_text(is_text && !rule->name ? text : rule->name);
    printf(", %d, %d, %zu, %zu},\n", is_text, rule->ignores_case, first_need, n_needs);
}

static void
print_rules(void)
{
    static struct needs needs[RULES_MAX];
    size_t n = 0;

    puts("const struct agent_rule agent_table_rules[] = {");
    for (size_t i = 0; i < n_rules; i++) {
        if (!needs_find(rules[i].pattern, &needs[i]))
            fail("unknown syntax: %s", rules[i].pattern);
        print_rule(&rules[i], n, needs[i].n);
        n += needs[i].n;
    }
    if (n > NEEDS_ALL_MAX)
        fail("more than %d needs", NEEDS_ALL_MAX);
    puts("};\n\nconst char *const agent_table_needs[] = {");
    for (size_t i = 0; i < n_rules; i++)
        for (size_t k = 0; k < needs[i].n; k++) {
            fputs("    ", stdout);
            print_text(needs[i].text[k]);
            puts(",");
        }
    puts("};\n\nconst uint32_t agent_table_sets[AGENT_SET_COUNT + 1] = {");
    for (size_t i = 0; i <= AGENT_SET_COUNT; i++)
        printf("    %zu,\n", set_begins[i]);
    puts("};\n");
}

static void
print_spammers(const char *path)
{
    FILE *in = open_file(path);
    char line[LINE_BYTES_MAX], before[LINE_BYTES_MAX] = "";
    size_t n = 0;

    puts("const char *const agent_table_spammers[] = {");
    for (; next_line(in, path, line); n++) {
        if (strcmp(before, line) >= 0)
            fail("%s: %s is not in its place", path, line);
        strcpy(before, line);
        fputs("    ", stdout);
        print_text(line);
        puts(",");
    }
    printf("};\n\nconst uint32_t agent_table_n_spammers = %zu;\n", n);
    fclose(in);
}

int
main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: make_table regexes.yaml crawlers.txt signs.txt spammers.txt OUT\n", stderr);
        return 2;
    }
    if (!freopen(argv[5], "w", stdout))
        fail("%s: cannot be written", argv[5]);
    read_uap(argv[1]);
    read_lines(argv[2], AGENT_CRAWLER, "crawler", false);
    read_lines(argv[3], AGENT_SIGN, "agent says", true);
    set_begins[AGENT_SET_COUNT] = n_rules;
    puts("/* Made by collector/data/make_table.c; whose words these are is said in its README.md. "
         "*/\n"
         "#include <stddef.h>\n\n#include \"collector/agent_table.h\"\n");
    print_rules();
    print_spammers(argv[4]);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
