package dev.jformer.train;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The weights of a model's blocks, grouped by their place in the block: those that lie on a line
 * through the depth if the model is a linear expansion. See {@link LearngeneOptimizer}.
 */
public final class DepthLines {
  private static final Pattern BLOCK = Pattern.compile("(.*[bB]locks)\\.(\\d+)\\.(.+)");

  private DepthLines() {}

  /**
   * The same weight of all blocks of a stack.
   *
   * @param stack the name of the list of blocks
   * @param name the weight's name in a block
   * @param weights of the blocks, first to last
   */
  public record Line(String stack, String name, List<Parameter> weights) {
    /** The number L of blocks. */
    public int depth() {
      return weights.size();
    }

    /** The place l / L of a block on the line, l from 0. */
    public double at(int block) {
      return (double) block / weights.size();
    }
  }

  /**
   * Groups weights by their names.
   *
   * @param weights by name; those that are not in a block are left out
   * @throws IllegalArgumentException if the blocks of a stack differ in their weights
   */
  public static List<Line> of(Map<String, Parameter> weights) {
    Map<String, Integer> depths = new LinkedHashMap<>();
    Map<String, List<Parameter>> groups = new LinkedHashMap<>();
    Map<String, String[]> keys = new LinkedHashMap<>();
    weights.forEach(
        (name, parameter) -> {
          Matcher block = BLOCK.matcher(name);
          if (block.matches()) {
            String key = block.group(1) + ".*." + block.group(3);
            int number = Integer.parseInt(block.group(2));
            depths.merge(block.group(1), number + 1, Math::max);
            groups.computeIfAbsent(key, k -> new ArrayList<>()).add(parameter);
            keys.put(key, new String[] {block.group(1), block.group(3)});
          }
        });
    List<Line> lines = new ArrayList<>();
    groups.forEach(
        (key, group) -> {
          String[] parts = keys.get(key);
          check(key, group, depths.get(parts[0]));
          lines.add(new Line(parts[0], parts[1], List.copyOf(group)));
        });
    return lines;
  }

  /** Whether a name is that of a weight of a block. */
  public static boolean isInBlock(String name) {
    return BLOCK.matcher(name).matches();
  }

  private static void check(String key, List<Parameter> group, int depth) {
    Shape shape = group.get(0).value().shape();
    if (group.size() != depth || group.stream().anyMatch(p -> !p.value().shape().equals(shape))) {
      throw new IllegalArgumentException(
          "the blocks differ in "
              + key
              + ", but those of a linear expansion have the same shapes: expected the same parts in"
              + " all blocks");
    }
  }
}
