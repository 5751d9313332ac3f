package dev.jformer.javadoc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Finds the Javadoc of types, as far as they were compiled with the {@code jformer-javadoc-index}.
 */
public final class Descriptions {
  private static final JsonMapper JSON = new JsonMapper();

  private Descriptions() {}

  /** The description of a type; {@link Description#NONE} where there is none. */
  public static Description of(Class<?> type) {
    String resource = "/META-INF/jformer/javadoc/" + type.getName() + ".json";
    try (InputStream stream = type.getResourceAsStream(resource)) {
      return stream == null ? Description.NONE : describe(JSON.readTree(stream));
    } catch (IOException e) {
      return Description.NONE; // a damaged resource shall not keep a command from working
    }
  }

  /**
   * The description of a part, given the class of its configuration. A record that is called {@code
   * Config} inside of the class that it configures has that class's description, with the record's
   * own parameters.
   */
  public static Description ofPart(Class<?> configuration) {
    Description own = of(configuration);
    Class<?> outer = configuration.getDeclaringClass();
    if (outer == null || !(own.isEmpty() || own.summary().startsWith("Configuration"))) {
      return own;
    }
    Description part = of(outer);
    return new Description(
        part.summary(), part.text(), part.markdown(), part.papers(), own.parameters());
  }

  private static Description describe(JsonNode comment) {
    String text = comment.path("text").asText();
    Map<String, String> parameters = new LinkedHashMap<>();
    comment
        .path("parameters")
        .properties()
        .forEach(p -> parameters.put(p.getKey(), CommentText.plainLine(p.getValue().asText())));
    return new Description(
        CommentText.firstSentence(text),
        CommentText.plain(text),
        CommentText.markdown(text),
        CommentText.links(text),
        Collections.unmodifiableMap(parameters));
  }
}
