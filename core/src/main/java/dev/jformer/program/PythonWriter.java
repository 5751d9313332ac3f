package dev.jformer.program;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes programs as readable Python 3 without dependencies: a module whose {@code run} labels a
 * list of tokens or words.
 */
public final class PythonWriter {
  private static final String FRAME =
      """
      \"\"\"A program that was learned: a Transformer Program (https://arxiv.org/abs/2306.01128).

      It has %s.
      \"\"\"
      %s
      LABELS = [%s]
      %s

      %s    position = list(range(len(token)))
          one = [1] * len(token)
      %s%s%s

      def select(query, key, value, wanted):
          \"\"\"The value of the closest token with the wanted key; of the first if there is none.\"\"\"
          return [value[closest(i, wanted(q), key)] for i, q in enumerate(query)]


      def closest(start, wanted, key):
          places = [j for j in range(%s) if key[j] == wanted]
          return min(places, key=lambda j: (j == start, abs(j - start), j), default=0)


      def count(query, key, number, wanted):
          \"\"\"The sum of a number over %s tokens with the wanted key.\"\"\"
          return [
              sum(number[j] for j in range(%s) if key[j] == wanted(q))
              for start, q in enumerate(query)
          ]


      def add(sums, times, scores):
          return [a + times * b for a, b in zip(sums, scores)]


      if __name__ == "__main__":
          import sys

          print(" ".join(run(sys.argv[1:])))
      """;

  private static final String TOKENS =
      """
      def run(token):
          \"\"\"Labels 1 to %1$d tokens.\"\"\"
          if not 1 <= len(token) <= %1$d:
              raise ValueError(f"{len(token)} tokens: expected 1 to %1$d")
      """;
  private static final String WORDS =
      """
      def run(word):
          \"\"\"Labels 1 to %1$d words%2$s.\"\"\"
          if not 1 <= len(word) <= %1$d:
              raise ValueError(f"{len(word)} words: expected 1 to %1$d")
          token = ["<s>"] + [read(w) for w in word]
      """;
  private static final String EACH =
      """
          labels = []
          for i in range(len(token)):
              sums = [%s]
      %s        labels.append(LABELS[sums.index(max(sums))])
          return %s
      """;
  private static final String TOGETHER =
      """
          all_sums = [0.0] * len(LABELS)
          for i in range(len(token)):
              sums = [%s]
      %s        all_sums = add(all_sums, 1, sums)
          return [LABELS[all_sums.index(max(all_sums))]]
      """;
  private static final String DICTIONARY =
      """

      # A line for each word that it knows: %s.
      DICTIONARY = \"\"\"
      %s\"\"\"

      CODES = {}
      for line in DICTIONARY.strip("\\n").split("\\n"):
          *codes, known = line.split(" ")
          CODES[known] = [int(code) for code in codes]


      def read(word):
          \"\"\"The word of the dictionary that a word is read as.\"\"\"
          plain = re.sub("[0-9]", "0", word)
          lower = plain.lower()
          if plain in CODES:
              return plain
          if lower in CODES:
              return lower
          if plain.startswith("http") or plain.startswith("www."):
              return "%s"
          if plain.startswith("@"):
              return "%s"
          if "0" in plain:
              return "%s"
          if plain == lower:
              return "%s"
          return "%s" if plain == plain.upper() else "%s"
      """;

  /** A character of more than 16 bits, as Java writes it. */
  private static final Pattern PAIR =
      Pattern.compile("\\\\u(d[89ab][0-9a-f]{2})\\\\u(d[c-f][0-9a-f]{2})");

  private final DiscreteProgram program;
  private final boolean words;
  private final Dictionary dictionary;
  private final Codes codes;
  private final StringBuilder functions = new StringBuilder();

  private PythonWriter(DiscreteProgram program) {
    this.program = program;
    this.words = program.scheme().kind().readsWords();
    this.dictionary = new Dictionary(program);
    this.codes = new Codes(program, PythonWriter::quoted);
  }

  static String quoted(String text) {
    return '"' + escaped(text) + '"';
  }

  private static String escaped(String text) {
    return PAIR.matcher(Codes.escaped(text))
        .replaceAll(
            pair -> {
              int code =
                  Character.toCodePoint(
                      (char) Integer.parseInt(pair.group(1), 16),
                      (char) Integer.parseInt(pair.group(2), 16));
              return Matcher.quoteReplacement(String.format("\\U%08x", code));
            });
  }

  /** Writes a program. */
  public static String write(DiscreteProgram program) {
    return new PythonWriter(program).write();
  }

  /** The numbers of its parts in words. */
  static String summary(DiscreteProgram program) {
    long lookups = count(program, Step.Lookup.class);
    return "%s%d heads that select, %d that count, %d tables and %d rules of numbers"
        .formatted(
            lookups == 0 ? "" : lookups + " codes for each word, ",
            count(program, Step.Select.class),
            count(program, Step.Count.class),
            count(program, Step.Table.class),
            count(program, Step.NumberTable.class));
  }

  private static long count(DiscreteProgram program, Class<? extends Step> kind) {
    return program.steps().stream().filter(kind::isInstance).count();
  }

  private String write() {
    StringBuilder steps = new StringBuilder();
    for (Step step : program.steps()) {
      steps.append("    ").append(statement(step)).append('\n');
    }
    String range = program.causal() ? "start + 1" : "len(key)";
    String sums = sums();
    return FRAME.formatted(
        summary(program),
        words ? "\nimport re\n" : "",
        String.join(", ", program.labels().stream().map(PythonWriter::quoted).toList()),
        words ? dictionary() : "",
        beginning(),
        steps,
        end(sums),
        functions,
        range,
        program.causal() ? "the previous and own" : "all",
        range);
  }

  private String beginning() {
    LabelKind kind = program.scheme().kind();
    int most = program.scheme().mostInputs();
    return kind == LabelKind.TOKENS
        ? TOKENS.formatted(most)
        : WORDS.formatted(most, kind == LabelKind.TEXTS ? " as a whole" : "");
  }

  private String end(String sums) {
    String bias = numbers(program.scores().bias());
    return switch (program.scheme().kind()) {
      case TOKENS -> EACH.formatted(bias, sums, "labels");
      case WORDS -> EACH.formatted(bias, sums, "labels[1:]");
      case TEXTS -> TOGETHER.formatted(bias, sums);
    };
  }

  private String dictionary() {
    return DICTIONARY.formatted(
        dictionary.names(),
        String.join("", dictionary.pieces(PythonWriter::escaped, "")),
        Lexicon.LINK,
        Lexicon.NAME,
        Lexicon.NUMBER,
        Lexicon.LOWER,
        Lexicon.UPPER,
        Lexicon.MIXED);
  }

  private String statement(Step step) {
    String name = step.name();
    if (step instanceof Step.Lookup lookup) {
      return "%s = [%s for t in token]".formatted(name, code(lookup));
    }
    if (step instanceof Step.Select select) {
      wanted(name, select.query(), select.key(), select.wanted());
      return "%s = select(%s, %s, %s, %s_wants)"
          .formatted(
              name,
              codes.name(select.query()),
              codes.name(select.key()),
              codes.name(select.value()),
              name);
    }
    if (step instanceof Step.Count count) {
      wanted(name, count.query(), count.key(), count.wanted());
      return "%s = count(%s, %s, %s, %s_wants)"
          .formatted(
              name,
              codes.name(count.query()),
              codes.name(count.key()),
              codes.number(count.value()),
              name);
    }
    if (step instanceof Step.Table table) {
      table(table);
      return applied(name, codes.name(table.first()), codes.name(table.second()));
    }
    Step.NumberTable rule = (Step.NumberTable) step;
    rule(rule);
    return applied(name, codes.number(rule.first()), codes.number(rule.second()));
  }

  /** The code of a token t. */
  private String code(Step.Lookup lookup) {
    if (words) {
      return "CODES[t][" + dictionary.column(lookup) + "]";
    }
    Map<String, List<String>> groups =
        codes.grouped(DiscreteProgram.TOKEN, token -> String.valueOf(lookup.codes()[token]));
    functions.append("\n\ndef %s_of(token):\n".formatted(lookup.name()));
    functions.append(choice("token", groups, "    "));
    return lookup.name() + "_of(t)";
  }

  private static String applied(String name, String a, String b) {
    return "%s = [%s_of(a, b) for a, b in zip(%s, %s)]".formatted(name, name, a, b);
  }

  private void wanted(String name, int query, int key, int[] wanted) {
    Map<String, List<String>> groups =
        codes.grouped(
            query,
            code -> {
              String literal = codes.literal(key, wanted[code]);
              return literal == null ? "None" : literal;
            });
    functions.append("\n\ndef %s_wants(%s):\n".formatted(name, codes.name(query)));
    functions.append(choice(codes.name(query), groups, "    "));
  }

  private static String choice(String of, Map<String, List<String>> groups, String indent) {
    StringBuilder text = new StringBuilder();
    String common = Codes.commonest(groups);
    groups.forEach(
        (result, values) -> {
          if (!result.equals(common)) {
            text.append(
                "%sif %s in (%s,):\n%s    return %s\n"
                    .formatted(indent, of, String.join(", ", values), indent, result));
          }
        });
    return text.append(indent).append("return ").append(common).append('\n').toString();
  }

  private void table(Step.Table table) {
    String a = codes.name(table.first());
    String b = table.first() == table.second() ? "same" : codes.name(table.second());
    functions.append("\n\ndef %s_of(%s, %s):\n".formatted(table.name(), a, b));
    Map<List<Integer>, List<String>> rows =
        codes.grouped(table.first(), code -> codes.row(table, code));
    List<Integer> common = Codes.commonest(rows);
    rows.forEach(
        (row, values) -> {
          if (!row.equals(common)) {
            functions.append("    if %s in (%s,):\n".formatted(a, String.join(", ", values)));
            functions.append(choice(b, columns(table, row), "        "));
          }
        });
    functions.append(choice(b, columns(table, common), "    "));
  }

  private Map<String, List<String>> columns(Step.Table table, List<Integer> row) {
    return codes.grouped(table.second(), code -> row.get(code).toString());
  }

  private void rule(Step.NumberTable rule) {
    String a = codes.number(rule.first());
    String b = rule.first() == rule.second() ? "same" : codes.number(rule.second());
    functions.append("\n\ndef %s_of(%s, %s):\n".formatted(rule.name(), a, b));
    int from = 0;
    for (int i = 1; i <= rule.outputs().length; i++) {
      boolean last = i == rule.outputs().length;
      if (last || !Arrays.equals(rule.outputs()[i], rule.outputs()[from])) {
        if (!last) {
          functions.append("    if %s < %d:\n".formatted(a, rule.firstLevels()[i]));
        }
        thresholds(
            b,
            Codes.changes(rule.secondLevels(), rule.outputs()[from]),
            last ? "    " : "        ");
        from = i;
      }
    }
  }

  private void thresholds(String of, Map<Integer, Integer> changes, String indent) {
    Integer before = null;
    for (Map.Entry<Integer, Integer> change : changes.entrySet()) {
      if (before != null) {
        functions.append(
            "%sif %s < %d:\n%s    return %d\n"
                .formatted(indent, of, change.getKey(), indent, before));
      }
      before = change.getValue();
    }
    functions.append(indent).append("return ").append(before).append('\n');
  }

  private String sums() {
    StringBuilder lines = new StringBuilder();
    double[][][] categorical = program.scores().categorical();
    for (int v = 0; v < categorical.length; v++) {
      if (categorical[v] != null) {
        String name = codes.name(v);
        lines.append("        sums = add(sums, 1, %s_scores(%s[i]))\n".formatted(name, name));
        double[][] scores = categorical[v];
        Map<String, List<String>> groups =
            codes.grouped(v, code -> "[" + numbers(scores[code]) + "]");
        functions.append("\n\ndef %s_scores(%s):\n".formatted(name, name));
        functions.append(choice(name, groups, "    "));
      }
    }
    double[][] numbers = program.scores().numbers();
    for (int n = 0; n < numbers.length; n++) {
      if (numbers[n] != null) {
        lines.append(
            "        sums = add(sums, %s[i], [%s])\n"
                .formatted(codes.number(n), numbers(numbers[n])));
      }
    }
    return lines.toString();
  }

  private static String numbers(double[] values) {
    List<String> all = new ArrayList<>();
    for (double value : values) {
      all.add(Double.toString(value));
    }
    return String.join(", ", all);
  }
}
