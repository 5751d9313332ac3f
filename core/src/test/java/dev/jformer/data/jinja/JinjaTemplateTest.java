package dev.jformer.data.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JinjaTemplateTest {
  static final Clock CLOCK = Clock.fixed(Instant.parse("2026-07-04T15:30:00Z"), ZoneOffset.UTC);

  private static String render(String source, Map<String, ?> variables) {
    return JinjaTemplate.parse(source, "the template").render(variables, CLOCK);
  }

  /** The cases of tools/fixtures/make_chat_templates.py. */
  private static JsonNode cases() throws IOException {
    try (InputStream in = JinjaTemplateTest.class.getResourceAsStream("cases.json")) {
      return new JsonMapper().readTree(in);
    }
  }

  @SuppressWarnings("unchecked") // an object of JSON
  static Map<String, Object> context(JsonNode node) {
    return new JsonMapper().convertValue(node, Map.class);
  }

  @Test
  void textsAreThoseOfPython() throws IOException {
    JsonNode all = cases();
    Map<String, Object> context = context(all.path("context"));
    List<String> wrong = new ArrayList<>();
    int equal = 0;
    for (JsonNode one : all.path("cases")) {
      String source = one.path("template").asText();
      String expected = one.has("text") ? one.path("text").asText() : null;
      String got;
      try {
        got = render(source, context);
      } catch (DataException e) {
        got = null;
        if (expected != null) {
          wrong.add(source + " fails: " + e.getMessage());
          continue;
        }
      }
      if (expected == null ? got == null : expected.equals(got)) {
        equal++;
      } else {
        wrong.add(source + " gives " + got + ": expected " + expected);
      }
    }
    assertEquals(List.of(), wrong);
    assertTrue(equal > 400, "" + equal);
  }

  @Test
  void whatIsGivenIsNotRead() {
    String hostile = "{{ n }}{% for i in range(9) %}x{% endfor %}";
    assertEquals(hostile + "1", render("{{ text }}{{ n }}", Map.of("text", hostile, "n", 1)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(1000000000000) %}{% endfor %}",
        "{% for i in range(3000) %}{% for j in range(3000) %}{% for k in range(3000) %}"
            + "{% endfor %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(100)"
            + " }}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{%"
            + " endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{%"
            + " endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{%"
            + " endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{%"
            + " endfor %}{{ ns.s | tojson }}",
        "{% set a = namespace(s=[1]) %}{% set b = namespace(s=[1]) %}{% for i in range(100) %}"
            + "{% set a.s = [a.s, a.s] %}{% set b.s = [b.s, b.s] %}{% endfor %}{{ a.s == b.s }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{%"
            + " endfor %}{{ {ns.s: 1} }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{%"
            + " endfor %}",
        "{{ 'x' * 1000000000000 }}",
        "{{ [1] * 1000000000000 }}",
        "{{ ('x' * 1000000).replace('x', 'y' * 1000000) }}",
        "{{ ('x' * 1000000) | replace('', 'y' * 1000) }}",
        "{% for i in range(100000) %}{{ 'x' * 1000000 }}{% endfor %}",
        "{{ '%9999d' % 1 ~ ('a' | center(1000000000)) }}",
        "{{ 'a' | indent(1000000000) }}",
        "{{ [1] | tojson(indent=1000000000) }}",
        "{{ ('x ' * 1000000).split() | join('y' * 1000000) }}",
        "{{ ('a' * 4000000 + 'b') in 'a' * 8000000 }}",
        "{{ ('a' * 8000000).count('a' * 4000000 + 'b') }}",
        "{{ ('a' * 8000000) | replace('a' * 4000000 + 'b', '') }}",
        "{{ ('<!--' * 2000000) | striptags | upper | wordcount ~ none.x.y }}",
        "{{ 2 ** 1000000000000 }}",
        "{{ [] | batch(1000000000, 'x') | list }}{{ [1] | batch(1000000000, 'x') | list }}",
        "{{ [1] | slice(1000000000) | list }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% set ns = namespace() %}{% set ns.ns = ns %}{{ ns.ns.ns.missing.x }}",
      })
  void hostileTemplatesEndInAnError(String source) {
    DataException error =
        assertTimeoutPreemptively(
            Duration.ofSeconds(60),
            () -> assertThrows(DataException.class, () -> render(source, Map.of())));
    assertTrue(error.getMessage().startsWith("the template fails in line 1: "), error.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ ''.__class__.__mro__ }}",
        "{{ x.getClass().forName('java.lang.Runtime') }}",
        "{{ x['class'].forName }}",
        "{{ raise_exception.__globals__.x }}",
        "{{ range.call(1) }}",
        "{{ namespace.getClass() }}",
        "{{ x.bytes.length }}",
      })
  void nothingOfJavaIsSeen(String source) {
    assertThrows(DataException.class, () -> render(source, Map.of("x", "text")));
  }

  @Test
  void deepNestingIsRefused() {
    for (String piece : List.of("(", "[", "{1:", "not ", "-", "x[", "x(", "1 if ")) {
      String source = "{{ " + piece.repeat(100_000);
      assertThrows(DataException.class, () -> render(source, Map.of()), piece);
    }
    for (String block : List.of("{% if x %}", "{% for i in x %}", "{% filter trim %}")) {
      assertThrows(DataException.class, () -> render(block.repeat(50_000), Map.of()), block);
    }
    for (String chain : List.of(" + 1", " ~ 'a'", " | string", ".x", " if 1")) {
      String source = "{{ 1" + chain.repeat(100_000) + " }}";
      assertThrows(DataException.class, () -> render(source, Map.of()), chain);
    }
  }

  @Test
  void errorsNameTheLine() {
    DataException wrong =
        assertThrows(DataException.class, () -> render("a\n\n{{ 1 + 'x' }}", Map.of()));
    assertEquals(
        "the template fails in line 3: '+' has no meaning for values of types int and str",
        wrong.getMessage());
    DataException raised =
        assertThrows(DataException.class, () -> render("\n{{ raise_exception('No!') }}", Map.of()));
    assertEquals("the template fails in line 2: No!", raised.getMessage());
    DataException unknown =
        assertThrows(DataException.class, () -> render("a\n{% import 'x' %}", Map.of()));
    assertEquals(
        "the template cannot be read: line 2 has the block 'import', which is not supported",
        unknown.getMessage());
    DataException open = assertThrows(DataException.class, () -> render("a\n{% if x %}", Map.of()));
    assertTrue(open.getMessage().contains("'endif'"), open.getMessage());
  }

  @Test
  void onlyPlainValuesAreGiven() {
    assertThrows(
        IllegalArgumentException.class, () -> render("{{ x }}", Map.of("x", Thread.class)));
    assertEquals(
        "[1, 2.5, None, 'a']", render("{{ x }}", Map.of("x", Arrays.asList(1, 2.5f, null, "a"))));
  }

  @Test
  void damagedTemplatesAreRefusedOrRender() throws IOException {
    JsonNode all = cases();
    Map<String, Object> context = context(all.path("context"));
    List<String> sources = new ArrayList<>();
    all.path("cases").forEach(one -> sources.add(one.path("template").asText()));
    SplittableRandom random = new SplittableRandom(5);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder source = new StringBuilder(sources.get(random.nextInt(sources.size())));
      for (int change = random.nextInt(3); change >= 0; change--) {
        int at = random.nextInt(source.length() + 1);
        String other = sources.get(random.nextInt(sources.size()));
        int from = random.nextInt(other.length());
        source.replace(
            at,
            Math.min(source.length(), at + random.nextInt(4)),
            other.substring(from, Math.min(other.length(), from + random.nextInt(6))));
      }
      try {
        render(source.toString(), context);
      } catch (DataException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError(source.toString(), e);
      }
    }
    assertTrue(refused > 1000 && refused < 19_000, "" + refused);
  }

  @Test
  void templatesAreShared() throws InterruptedException {
    JinjaTemplate template =
        JinjaTemplate.parse("{% for i in range(n) %}{{ i }}{% endfor %}", "the template");
    List<Thread> threads = new ArrayList<>();
    List<String> texts = Collections.synchronizedList(new ArrayList<>());
    for (int n = 0; n < 8; n++) {
      int count = n;
      threads.add(new Thread(() -> texts.add(template.render(Map.of("n", count), CLOCK))));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    Collections.sort(texts);
    assertEquals(List.of("", "0", "01", "012", "0123", "01234", "012345", "0123456"), texts);
  }
}
