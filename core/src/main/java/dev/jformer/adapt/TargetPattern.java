package dev.jformer.adapt;

import dev.jformer.config.Nearest;
import dev.jformer.model.Model;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A pattern of names of linear layers: a dotted name or its end, with {@code *} for any characters.
 */
final class TargetPattern {
  private static final Pattern BLOCK = Pattern.compile("(.*\\.)?\\w*[bB]locks\\.\\d+\\..*");
  private static final int SHOWN = 8;

  private TargetPattern() {}

  /** Whether a matrix is selected; without patterns those of the blocks are. */
  static boolean matches(List<String> patterns, AdapterTarget target) {
    if (patterns.isEmpty()) {
      return BLOCK.matcher(target.layer()).matches();
    }
    return patterns.stream().anyMatch(pattern -> matches(pattern, target));
  }

  private static boolean matches(String pattern, AdapterTarget target) {
    Pattern compiled = compiled(pattern);
    return compiled.matcher(target.layer()).matches() || compiled.matcher(target.name()).matches();
  }

  private static Pattern compiled(String pattern) {
    String quoted = Pattern.quote(pattern).replace("*", "\\E.*\\Q");
    return Pattern.compile("(?:.*\\.)?" + quoted);
  }

  /** Checks that each pattern selects something. */
  static void check(Model model, List<String> patterns, List<AdapterTarget> all) {
    Set<String> names = new TreeSet<>();
    for (AdapterTarget target : all) {
      names.add(target.layer().replaceAll("\\.\\d+\\.", ".*."));
    }
    if (patterns.isEmpty() && all.stream().noneMatch(target -> matches(List.of(), target))) {
      throw new IllegalArgumentException(
          "the "
              + model.config().type()
              + " has no linear layers or convolutions in blocks that an adapter could update: set"
              + " adapter.targets to some of "
              + shown(names));
    }
    for (String pattern : patterns) {
      if (all.stream().noneMatch(target -> matches(pattern, target))) {
        throw new IllegalArgumentException(
            "adapter.targets holds '"
                + pattern
                + "', which matches no linear layer or convolution"
                + Nearest.hint(pattern, ends(names))
                + ": the model has "
                + shown(names));
      }
    }
  }

  /** The names and all their ends, to compare a pattern with. */
  private static Set<String> ends(Set<String> names) {
    Set<String> ends = new TreeSet<>(names);
    for (String name : names) {
      for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
        ends.add(name.substring(dot + 1));
      }
    }
    return ends;
  }

  private static String shown(Set<String> names) {
    String list = String.join(", ", names.stream().limit(SHOWN).toList());
    return names.isEmpty() ? "none" : names.size() > SHOWN ? list + ", …" : list;
  }
}
