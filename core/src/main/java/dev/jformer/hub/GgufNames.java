package dev.jformer.hub;

import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Translates the names of tensors between GGUF and Hugging Face. A name is a module's and {@code
 * .weight} or {@code .bias}; the modules of block 3 begin with {@code blk.3.} in GGUF.
 *
 * @param blocks what stands before a block's number in Hugging Face's names
 * @param ofBlock Hugging Face's module names within a block, by GGUF's
 * @param others Hugging Face's other module names, by GGUF's
 */
record GgufNames(String blocks, Map<String, String> ofBlock, Map<String, String> others) {
  private static final String BLOCKS = "blk.";
  private static final Pattern KIND = Pattern.compile("(.+)(\\.(weight|bias))");

  /** Hugging Face's name; the same name if it is not known. */
  String theirs(String gguf) {
    return translated(gguf, BLOCKS, blocks, ofBlock::get, others::get);
  }

  /** GGUF's name; the same name if it is not known. */
  String gguf(String theirs) {
    return translated(theirs, blocks, BLOCKS, inverse(ofBlock)::get, inverse(others)::get);
  }

  private static Map<String, String> inverse(Map<String, String> map) {
    return map.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getValue, Map.Entry::getKey));
  }

  private static String translated(
      String name,
      String from,
      String to,
      Function<String, String> block,
      Function<String, String> other) {
    Matcher kind = KIND.matcher(name);
    if (!kind.matches()) {
      return name;
    }
    String module = kind.group(1);
    String translated = other.apply(module);
    if (translated == null && module.startsWith(from)) {
      int end = module.indexOf('.', from.length());
      String part = end < 0 ? null : block.apply(module.substring(end + 1));
      translated = part == null ? null : to + module.substring(from.length(), end + 1) + part;
    }
    return translated == null ? name : translated + kind.group(2);
  }
}
