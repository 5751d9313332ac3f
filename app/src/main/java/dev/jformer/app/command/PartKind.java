package dev.jformer.app.command;

import dev.jformer.compress.Compression;
import dev.jformer.config.ConfigField;
import dev.jformer.config.Configs;
import dev.jformer.config.Part;
import dev.jformer.javadoc.Descriptions;
import dev.jformer.run.Recipe;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A kind of interchangeable parts, such as token mixers.
 *
 * @param name the field that most often holds such parts, for example {@code mixer}; where two
 *     kinds have the same, the name of the interface
 * @param type the interface of the kind
 * @param places the fields that hold such parts, for example {@code causal-lm.mixer}
 * @param parts the parts by name, with their defaults
 */
record PartKind(
    String name,
    Class<? extends Part> type,
    List<String> places,
    Map<String, ? extends Part> parts) {
  static final String COMPRESSION = "compress";

  /** The kinds that recipes are made of, by name, and the methods of compression. */
  static Map<String, PartKind> all() {
    Map<Class<? extends Part>, List<String>> places = new LinkedHashMap<>();
    follow(Configs.fields(Recipe.class), "recipe", places);
    add(Compression.class, COMPRESSION, places);
    Map<String, Long> names =
        places.values().stream()
            .map(PartKind::commonest)
            .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    Map<String, PartKind> kinds = new TreeMap<>();
    places.forEach(
        (type, fields) -> {
          String field = commonest(fields);
          String name = names.get(field) == 1 ? field : hyphenated(described(type));
          List<String> distinct = fields.stream().distinct().toList();
          kinds.put(name, new PartKind(name, type, distinct, Configs.parts(type)));
        });
    return kinds;
  }

  /** {@code TokenReducer} becomes {@code token-reducer}. */
  private static String hyphenated(Class<?> type) {
    return type.getSimpleName().replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
  }

  /** The field's name that most places share. */
  private static String commonest(List<String> places) {
    return places.stream()
        .map(place -> place.substring(place.lastIndexOf('.') + 1))
        .collect(Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()))
        .entrySet()
        .stream()
        .max(Comparator.comparingLong(Map.Entry::getValue))
        .orElseThrow()
        .getKey();
  }

  private static void follow(
      List<ConfigField> fields, String owner, Map<Class<? extends Part>, List<String>> places) {
    for (ConfigField field : fields) {
      String place = owner + "." + field.name();
      if (field.kind().isPresent()) {
        add(field.kind().get(), place, places);
      } else if (field.element().isRecord()) {
        follow(Configs.fields(field.element()), place, places);
      }
    }
  }

  private static void add(
      Class<? extends Part> kind, String place, Map<Class<? extends Part>, List<String>> places) {
    boolean known = places.containsKey(kind);
    places.computeIfAbsent(kind, k -> new ArrayList<>()).add(place);
    if (!known) {
      for (Part part : Configs.parts(kind).values()) {
        follow(Configs.fields(part.getClass()), part.type(), places);
      }
    }
  }

  /** What such parts do, in a sentence. */
  String description() {
    return Descriptions.of(described(type)).summary();
  }

  /** What each part is, in a sentence. */
  Map<String, String> summaries() {
    Map<String, String> summaries = new TreeMap<>();
    parts.forEach(
        (part, config) -> summaries.put(part, Descriptions.ofPart(config.getClass()).summary()));
    return summaries;
  }

  /** The class that says what parts of a kind do: the one that an inner Config configures. */
  private static Class<?> described(Class<?> type) {
    return type.getDeclaringClass() == null ? type : type.getDeclaringClass();
  }
}
