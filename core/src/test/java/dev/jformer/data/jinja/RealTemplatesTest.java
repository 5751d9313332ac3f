package dev.jformer.data.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Compares templates that people use, which are not part of this project, with Python's texts: see
 * tools/fixtures/make_chat_templates.py.
 */
@EnabledIfSystemProperty(named = "jformer.templates", matches = ".+")
class RealTemplatesTest {
  /** Relies on the escaping of HTML after the filter {@code safe}. */
  private static final Set<String> KNOWN = Set.of("meetkai-functionary-medium-v3.1.jinja");

  @Test
  void textsAreThoseOfPython() throws IOException {
    Path file = Path.of(System.getProperty("jformer.templates"));
    JsonNode cases = new JsonMapper().readTree(file.toFile());
    Set<String> templates = new TreeSet<>();
    List<String> wrong = new ArrayList<>();
    int texts = 0;
    for (JsonNode one : cases) {
      String name = one.path("template").asText();
      templates.add(name);
      String expected = one.has("text") ? one.path("text").asText() : null;
      String got;
      try {
        got =
            JinjaTemplate.parse(one.path("source").asText(), name)
                .render(JinjaTemplateTest.context(one.path("context")), JinjaTemplateTest.CLOCK);
      } catch (DataException e) {
        got = null;
      }
      texts += expected == null ? 0 : 1;
      if (!(expected == null ? got == null : expected.equals(got)) && !KNOWN.contains(name)) {
        wrong.add(name + " " + one.path("case").asText());
      }
    }
    System.out.println(
        templates.size() + " templates, " + cases.size() + " cases, " + texts + " texts");
    assertEquals(List.of(), wrong);
  }
}
