package dev.jformer.program;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes programs as readable Java 17: a class without dependencies whose {@code run} labels tokens
 * or words. Compiled, it gives the labels of {@link DiscreteProgram#run}. The words that it knows
 * stand in it as lines of text, which are read when the class is loaded.
 */
public final class JavaWriter {
  private static final String FRAME =
      """
      import java.util.Arrays;
      %simport java.util.function.BiFunction;
      import java.util.function.Function;
      import java.util.function.IntBinaryOperator;

      /**
       * A program that was learned: a Transformer Program (https://arxiv.org/abs/2306.01128). It has %s.
       */
      public final class %s {
        private static final String[] LABELS = {%s};
      %s
        private %s() {}

      %s    Integer[] position = new Integer[length];
          Arrays.setAll(position, i -> i);
          int[] one = new int[length];
          Arrays.fill(one, 1);
      %s
      %s
        private static int best(double... sums) {
          int best = 0;
          for (int label = 1; label < sums.length; label++) {
            best = sums[label] > sums[best] ? label : best;
          }
          return best;
        }

        /** Labels the %s that are given as arguments. */
        public static void main(String... %s) {
          System.out.println(String.join(" ", run(%s)));
        }
      %s%s}
      """;
  private static final String TOKENS =
      """
        /** Labels 1 to %1$d tokens, which are among %2$s. */
        public static String[] run(String... token) {
          int length = token.length;
          if (length < 1 || length > %1$d) {
            throw new IllegalArgumentException(length + " tokens: expected 1 to %1$d");
          }
      """;
  private static final String WORDS =
      """
        /** Labels 1 to %1$d words%2$s. */
        public static String[] run(String... word) {
          int length = word.length + 1;
          if (length < 2 || length > %1$d + 1) {
            throw new IllegalArgumentException(word.length + " words: expected 1 to %1$d");
          }
          String[] token = new String[length];
          Arrays.setAll(token, i -> i == 0 ? "<s>" : read(word[i - 1]));
      """;
  private static final String EACH =
      """
          String[] labels = new String[length];
          for (int i = 0; i < length; i++) {
            double[] sums = {%s};
      %s      labels[i] = LABELS[best(sums)];
          }
          return %s;
        }
      """;
  private static final String TOGETHER =
      """
          double[] all = new double[LABELS.length];
          for (int i = 0; i < length; i++) {
            double[] sums = {%s};
      %s      add(all, 1, sums);
          }
          return new String[] {LABELS[best(all)]};
        }
      """;
  private static final String DICTIONARY =
      """

        /** A line for each word that it knows: %s. */
        private static final String[] DICTIONARY = {
      %s  };

        private static final Map<String, int[]> CODES = codes();

        private static Map<String, int[]> codes() {
          Map<String, int[]> codes = new HashMap<>();
          for (String lines : DICTIONARY) {
            for (String line : lines.split("\\n")) {
              String[] parts = line.split(" ");
              int[] own = new int[parts.length - 1];
              Arrays.setAll(own, i -> Integer.parseInt(parts[i]));
              codes.put(parts[own.length], own);
            }
          }
          return codes;
        }

        /** The word of the dictionary that a word is read as. */
        private static String read(String word) {
          String plain = word.replaceAll("[0-9]", "0");
          String lower = plain.toLowerCase(Locale.ROOT);
          if (CODES.containsKey(plain)) {
            return plain;
          }
          if (CODES.containsKey(lower)) {
            return lower;
          }
          if (plain.startsWith("http") || plain.startsWith("www.")) {
            return "%s";
          }
          if (plain.startsWith("@")) {
            return "%s";
          }
          if (plain.contains("0")) {
            return "%s";
          }
          if (plain.equals(lower)) {
            return "%s";
          }
          return plain.equals(plain.toUpperCase(Locale.ROOT)) ? "%s" : "%s";
        }
      """;
  private static final String LOOKUP =
      """

        /** The code of each token. */
        private static Integer[] lookup(String[] token, Function<String, Integer> code) {
          Integer[] codes = new Integer[token.length];
          Arrays.setAll(codes, i -> code.apply(token[i]));
          return codes;
        }
      """;
  private static final String SELECT =
      """

        /** The value of the closest token with the wanted key; of the first token if there is none. */
        private static <Q, K, V> V[] select(Q[] query, K[] key, V[] value, Function<Q, K> wanted) {
          V[] found = value.clone();
          for (int i = 0; i < query.length; i++) {
            found[i] = value[closest(i, wanted.apply(query[i]), key)];
          }
          return found;
        }

        private static int closest(int from, Object wanted, Object[] key) {
          for (int distance = 1; distance < key.length; distance++) {
            int left = from - distance;%s
            if (left >= 0 && key[left].equals(wanted)) {
              return left;
            }%s
          }
          return key[from].equals(wanted) ? from : 0;
        }
      """;
  private static final String RIGHT = "\n      int right = from + distance;";
  private static final String RIGHT_TOO =
      """

      if (right < key.length && key[right].equals(wanted)) {
        return right;
      }\
      """;
  private static final String COUNT =
      """

        /** The sum of a number over %s tokens with the wanted key. */
        private static <Q, K> int[] count(Q[] query, K[] key, int[] number, Function<Q, K> wanted) {
          int[] sums = new int[query.length];
          for (int i = 0; i < query.length; i++) {
            for (int j = 0; j < %s; j++) {
              sums[i] += key[j].equals(wanted.apply(query[i])) ? number[j] : 0;
            }
          }
          return sums;
        }
      """;
  private static final String TABLE =
      """

        /** What a table has for each token's pair of values. */
        private static <A, B> Integer[] table(A[] a, B[] b, BiFunction<A, B, Integer> table) {
          Integer[] results = new Integer[a.length];
          Arrays.setAll(results, i -> table.apply(a[i], b[i]));
          return results;
        }
      """;
  private static final String RULE =
      """

        /** What a rule gives for each token's pair of numbers. */
        private static Integer[] rule(int[] a, int[] b, IntBinaryOperator rule) {
          Integer[] results = new Integer[a.length];
          Arrays.setAll(results, i -> rule.applyAsInt(a[i], b[i]));
          return results;
        }
      """;
  private static final String ADD =
      """

        private static void add(double[] sums, int times, double... scores) {
          for (int label = 0; label < sums.length; label++) {
            sums[label] += times * scores[label];
          }
        }
      """;

  /**
   * Pairs of values from which on each row of a table has a method: those of 64 KB are the most.
   */
  private static final int LARGE = 1000;

  private final DiscreteProgram program;
  private final boolean words;
  private final Dictionary dictionary;
  private final Codes codes;
  private final StringBuilder methods = new StringBuilder();

  private JavaWriter(DiscreteProgram program) {
    this.program = program;
    this.words = program.scheme().kind().readsWords();
    this.dictionary = new Dictionary(program);
    this.codes = new Codes(program, JavaWriter::quoted);
  }

  /** Writes a program; the name of the class is the program's. */
  public static String write(DiscreteProgram program) {
    return new JavaWriter(program).write();
  }

  private static String quoted(String text) {
    return '"' + Codes.escaped(text) + '"';
  }

  private String write() {
    StringBuilder steps = new StringBuilder();
    for (Step step : program.steps()) {
      steps.append("    ").append(statement(step)).append('\n');
    }
    String sums = sums();
    String name = program.name();
    String inputs = words ? "words" : "tokens";
    return FRAME.formatted(
        words ? "import java.util.HashMap;\nimport java.util.Locale;\nimport java.util.Map;\n" : "",
        PythonWriter.summary(program),
        name,
        String.join(", ", program.labels().stream().map(JavaWriter::quoted).toList()),
        words ? dictionary() : "",
        name,
        beginning(),
        steps,
        end(sums),
        inputs,
        inputs,
        inputs,
        methods,
        helpers());
  }

  private String beginning() {
    LabelKind kind = program.scheme().kind();
    int most = program.scheme().mostInputs();
    return kind == LabelKind.TOKENS
        ? TOKENS.formatted(most, String.join(" ", program.tokens()).replace("<", "&lt;"))
        : WORDS.formatted(most, kind == LabelKind.TEXTS ? " as a whole" : "");
  }

  private String end(String sums) {
    String bias = numbers(program.scores().bias());
    return switch (program.scheme().kind()) {
      case TOKENS -> EACH.formatted(bias, sums, "labels");
      case WORDS -> EACH.formatted(bias, sums, "Arrays.copyOfRange(labels, 1, length)");
      case TEXTS -> TOGETHER.formatted(bias, sums);
    };
  }

  private String dictionary() {
    StringBuilder pieces = new StringBuilder();
    for (String piece : dictionary.pieces(Codes::escaped, "    ")) {
      pieces.append("    \"\"\"\n").append(piece).append("    \"\"\",\n");
    }
    return DICTIONARY.formatted(
        dictionary.names(),
        pieces,
        Lexicon.LINK,
        Lexicon.NAME,
        Lexicon.NUMBER,
        Lexicon.LOWER,
        Lexicon.UPPER,
        Lexicon.MIXED);
  }

  private String statement(Step step) {
    if (step instanceof Step.Lookup lookup) {
      return "Integer[] %s = lookup(token, %s);".formatted(step.name(), code(lookup));
    }
    if (step instanceof Step.Select select) {
      wanted(step.name(), select.query(), select.key(), select.wanted());
      return "%s[] %s = select(%s, %s, %s, %s::%sWants);"
          .formatted(
              codes.areTokens(select.value()) ? "String" : "Integer",
              step.name(),
              codes.name(select.query()),
              codes.name(select.key()),
              codes.name(select.value()),
              program.name(),
              step.name());
    }
    if (step instanceof Step.Count count) {
      wanted(step.name(), count.query(), count.key(), count.wanted());
      return "int[] %s = count(%s, %s, %s, %s::%sWants);"
          .formatted(
              step.name(),
              codes.name(count.query()),
              codes.name(count.key()),
              codes.number(count.value()),
              program.name(),
              step.name());
    }
    if (step instanceof Step.Table table) {
      table(table);
      return "Integer[] %s = table(%s, %s, %s::%sOf);"
          .formatted(
              step.name(),
              codes.name(table.first()),
              codes.name(table.second()),
              program.name(),
              step.name());
    }
    Step.NumberTable rule = (Step.NumberTable) step;
    rule(rule);
    return "Integer[] %s = rule(%s, %s, %s::%sOf);"
        .formatted(
            step.name(),
            codes.number(rule.first()),
            codes.number(rule.second()),
            program.name(),
            step.name());
  }

  /** The function that gives the code of a token. */
  private String code(Step.Lookup lookup) {
    if (words) {
      return "known -> CODES.get(known)[" + dictionary.column(lookup) + "]";
    }
    Map<String, List<String>> groups =
        codes.grouped(DiscreteProgram.TOKEN, token -> String.valueOf(lookup.codes()[token]));
    methods
        .append("\n  private static Integer %sOf(String token) {\n".formatted(lookup.name()))
        .append("    return ")
        .append(choice("token", groups, "    "))
        .append(";\n  }\n");
    return program.name() + "::" + lookup.name() + "Of";
  }

  private String type(int variable) {
    return codes.areTokens(variable) ? "String" : "Integer";
  }

  /** The key that each value of the query wants. */
  private void wanted(String name, int query, int key, int[] wanted) {
    Map<String, List<String>> groups =
        codes.grouped(query, code -> String.valueOf(codes.literal(key, wanted[code])));
    methods.append(
        "\n  private static %s %sWants(%s %s) {\n"
            .formatted(type(key), name, type(query), codes.name(query)));
    methods.append("    return ").append(choice(codes.name(query), groups, "    ")).append(";\n");
    methods.append("  }\n");
  }

  /** A switch; its default is what most values give. */
  private static String choice(String of, Map<String, List<String>> groups, String indent) {
    String common = Codes.commonest(groups);
    if (groups.size() == 1) {
      return common;
    }
    StringBuilder text = new StringBuilder("switch (" + of + ") {\n");
    groups.forEach(
        (result, values) -> {
          if (!result.equals(common)) {
            text.append(indent)
                .append("  case ")
                .append(String.join(", ", values))
                .append(" -> ")
                .append(result)
                .append(";\n");
          }
        });
    return text.append(indent)
        .append("  default -> ")
        .append(common)
        .append(";\n")
        .append(indent)
        .append("}")
        .toString();
  }

  private void table(Step.Table table) {
    String a = codes.name(table.first());
    String b = codes.name(table.second());
    boolean same = a.equals(b);
    boolean large = codes.count(table.first()) * codes.count(table.second()) > LARGE;
    Map<String, List<String>> rows =
        codes.grouped(
            table.first(),
            code ->
                choice(
                    same ? "same" : b,
                    codes.grouped(
                        table.second(), other -> String.valueOf(table.outputs()[code][other])),
                    large ? "    " : "      "));
    if (large) {
      String row = "Integer " + table.name() + "Row";
      rows = inMethods(rows, row, type(table.second()), same ? "same" : b);
    }
    methods.append(
        "\n  private static Integer %sOf(%s %s, %s %s) {\n"
            .formatted(
                table.name(), type(table.first()), a, type(table.second()), same ? "same" : b));
    methods.append("    return ").append(choice(a, rows, "    ")).append(";\n  }\n");
  }

  /**
   * Writes results as methods, because one method for all would be too large.
   *
   * @param method type and name of the methods, without their numbers
   * @param type of their parameter; empty for none
   * @param parameter its name
   */
  private Map<String, List<String>> inMethods(
      Map<String, List<String>> groups, String method, String type, String parameter) {
    Map<String, List<String>> calls = new LinkedHashMap<>();
    String name = method.substring(method.indexOf(' ') + 1);
    groups.forEach(
        (result, values) -> {
          methods.append(
              "\n  private static %s%d(%s) {\n    return %s;\n  }\n"
                  .formatted(method, calls.size(), (type + " " + parameter).strip(), result));
          calls.put(name + calls.size() + "(" + parameter + ")", values);
        });
    return calls;
  }

  private void rule(Step.NumberTable rule) {
    String a = codes.number(rule.first());
    String b = rule.first() == rule.second() ? "same" : codes.number(rule.second());
    methods.append("\n  private static int %sOf(int %s, int %s) {\n".formatted(rule.name(), a, b));
    int from = 0;
    for (int i = 1; i <= rule.outputs().length; i++) {
      boolean last = i == rule.outputs().length;
      if (last || !Arrays.equals(rule.outputs()[i], rule.outputs()[from])) {
        String row = thresholds(b, Codes.changes(rule.secondLevels(), rule.outputs()[from]));
        if (last) {
          methods.append("    return ").append(row).append(";\n");
        } else {
          methods.append(
              "    if (%s < %d) {\n      return %s;\n    }\n"
                  .formatted(a, rule.firstLevels()[i], row));
        }
        from = i;
      }
    }
    methods.append("  }\n");
  }

  /** {@code b < 3 ? 1 : b < 7 ? 2 : 0}. */
  private static String thresholds(String of, Map<Integer, Integer> changes) {
    StringBuilder text = new StringBuilder();
    Integer before = null;
    for (Map.Entry<Integer, Integer> change : new TreeMap<>(changes).entrySet()) {
      if (before != null) {
        text.append(of)
            .append(" < ")
            .append(change.getKey())
            .append(" ? ")
            .append(before)
            .append(" : ");
      }
      before = change.getValue();
    }
    return text.append(before).toString();
  }

  private String sums() {
    StringBuilder lines = new StringBuilder();
    double[][][] categorical = program.scores().categorical();
    for (int v = 0; v < categorical.length; v++) {
      if (categorical[v] != null) {
        String name = codes.name(v);
        lines.append("      add(sums, 1, %sScores(%s[i]));\n".formatted(name, name));
        scores(v, categorical[v]);
      }
    }
    double[][] numbers = program.scores().numbers();
    for (int n = 0; n < numbers.length; n++) {
      if (numbers[n] != null) {
        lines.append(
            "      add(sums, %s[i], %s);\n".formatted(codes.number(n), numbers(numbers[n])));
      }
    }
    return lines.toString();
  }

  private void scores(int variable, double[][] scores) {
    Map<String, List<String>> groups =
        codes.grouped(variable, code -> "new double[] {" + numbers(scores[code]) + "}");
    String name = codes.name(variable);
    if (codes.count(variable) * program.labels().size() > LARGE) {
      groups = inMethods(groups, "double[] " + name + "ScoresRow", "", "");
    }
    methods.append(
        "\n  private static double[] %sScores(%s %s) {\n".formatted(name, type(variable), name));
    methods.append("    return ").append(choice(name, groups, "    ")).append(";\n  }\n");
  }

  private static String numbers(double[] values) {
    List<String> all = new ArrayList<>();
    for (double value : values) {
      all.add(Double.toString(value));
    }
    return String.join(", ", all);
  }

  private String helpers() {
    boolean causal = program.causal();
    return has(Step.Lookup.class, LOOKUP)
        + has(Step.Select.class, SELECT.formatted(causal ? "" : RIGHT, causal ? "" : RIGHT_TOO))
        + has(
            Step.Count.class,
            COUNT.formatted(
                causal ? "the previous and own" : "all", causal ? "i + 1" : "key.length"))
        + has(Step.Table.class, TABLE)
        + has(Step.NumberTable.class, RULE)
        + ADD;
  }

  private String has(Class<? extends Step> kind, String helper) {
    return program.steps().stream().anyMatch(kind::isInstance) ? helper : "";
  }
}
