package dev.jformer.data.tokenizer;

import dev.jformer.data.DataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The table of character replacements of a SentencePiece model: a double-array trie of texts to
 * replace, and their replacements one after the other, each ended by a zero.
 */
final class PrecompiledMap implements TextNormalizer {
  private static final Pattern GRAPHEME = Pattern.compile("\\X");

  /** Longer clusters of characters are not looked up as a whole. */
  private static final int LONGEST = 5;

  private final int[] trie;
  private final byte[] replacements;

  private PrecompiledMap(int[] trie, byte[] replacements) {
    this.trie = trie;
    this.replacements = replacements;
  }

  static TextNormalizer of(JsonFields fields) {
    String name = fields.path() + ".precompiled_charsmap";
    byte[] map;
    try {
      map = Base64.getDecoder().decode(fields.text("precompiled_charsmap", ""));
    } catch (IllegalArgumentException e) {
      throw new DataException(name + " is not in base 64: " + e.getMessage(), e);
    }
    if (map.length == 0) {
      return NONE;
    }
    ByteBuffer buffer = ByteBuffer.wrap(map).order(ByteOrder.LITTLE_ENDIAN);
    long size = map.length < 4 ? -1 : Integer.toUnsignedLong(buffer.getInt());
    if (size < 4 || size % 4 != 0 || size > buffer.remaining()) {
      throw new DataException(
          name + " has " + map.length + " bytes, fewer than its table takes: the file is damaged");
    }
    int[] trie = new int[(int) size / 4];
    buffer.asIntBuffer().get(trie);
    return new PrecompiledMap(trie, Arrays.copyOfRange(map, 4 + (int) size, map.length));
  }

  @Override
  public String apply(String text) {
    StringBuilder changed = new StringBuilder(text.length());
    Matcher graphemes = GRAPHEME.matcher(text);
    while (graphemes.find()) {
      String cluster = graphemes.group();
      byte[] bytes = cluster.getBytes(StandardCharsets.UTF_8);
      String whole = bytes.length <= LONGEST ? replacement(bytes) : null;
      if (whole != null) {
        changed.append(whole);
      } else {
        cluster.codePoints().forEach(c -> append(changed, c));
      }
    }
    return changed.toString();
  }

  private void append(StringBuilder changed, int c) {
    String single = Character.toString(c);
    String other = replacement(single.getBytes(StandardCharsets.UTF_8));
    changed.append(other == null ? single : other);
  }

  /** The replacement of the shortest start of a text that the trie has; null if there is none. */
  private String replacement(byte[] key) {
    int node = offset(unit(0));
    for (byte b : key) {
      if (b == 0) {
        return null;
      }
      node ^= b & 0xFF;
      int unit = unit(node);
      if ((unit & (Integer.MIN_VALUE | 0xFF)) != (b & 0xFF)) {
        return null;
      }
      node ^= offset(unit);
      if (((unit >>> 8) & 1) == 1) {
        return text(unit(node) & Integer.MAX_VALUE);
      }
    }
    return null;
  }

  private int unit(int node) {
    if (node < 0 || node >= trie.length) {
      throw new DataException("precompiled_charsmap points outside of its table: it is damaged");
    }
    return trie[node];
  }

  private static int offset(int unit) {
    return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
  }

  private String text(int start) {
    if (start > replacements.length) {
      throw new DataException("precompiled_charsmap points outside of its texts: it is damaged");
    }
    int end = start;
    while (end < replacements.length && replacements[end] != 0) {
      end++;
    }
    return new String(replacements, start, end - start, StandardCharsets.UTF_8);
  }
}
