package dev.jformer.data.tokenizer;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/** Turns tokens back into text: the {@code decoder} of a tokenizer. */
@FunctionalInterface
interface TokenDecoder {
  /** The texts of tokens; joined, they are the whole text. */
  List<String> apply(List<String> tokens);

  /** Joins tokens by spaces. */
  TokenDecoder SPACES = tokens -> List.of(String.join(" ", tokens));

  /**
   * Creates the decoder that an object describes.
   *
   * @param fields null for none
   */
  static TokenDecoder of(JsonFields fields) {
    if (fields == null) {
      return SPACES;
    }
    return switch (fields.type()) {
      case "Sequence" -> sequence(fields.objects("decoders"));
      case "BPEDecoder" -> {
        String suffix = fields.text("suffix", "</w>");
        yield suffix.isEmpty() ? tokens -> tokens : bpe(suffix);
      }
      case "ByteFallback" -> TokenDecoder::byteFallback;
      case "ByteLevel" -> tokens -> List.of(byteLevel(tokens));
      case "CTC" -> ctc(fields);
      case "Fuse" -> tokens -> List.of(String.join("", tokens));
      case "Metaspace" -> metaspace(fields);
      case "Replace" -> {
        TextPattern pattern = TextPattern.of(fields);
        String content = fields.text("content");
        yield each(token -> pattern.replace(token, content));
      }
      case "Strip" -> {
        int content = fields.character("content");
        int start = fields.number("start", 0, 0);
        int stop = fields.number("stop", 0, 0);
        yield each(token -> strip(token, content, start, stop));
      }
      case "WordPiece" -> wordPiece(fields);
      default ->
          throw fields.unknownType(
              "BPEDecoder",
              "ByteFallback",
              "ByteLevel",
              "CTC",
              "Fuse",
              "Metaspace",
              "Replace",
              "Sequence",
              "Strip",
              "WordPiece");
    };
  }

  private static TokenDecoder sequence(List<JsonFields> parts) {
    List<TokenDecoder> all = parts.stream().map(TokenDecoder::of).toList();
    return tokens -> {
      List<String> changed = tokens;
      for (TokenDecoder decoder : all) {
        changed = decoder.apply(changed);
      }
      return changed;
    };
  }

  private static TokenDecoder each(UnaryOperator<String> change) {
    return tokens -> tokens.stream().map(change).toList();
  }

  /** A decoder that treats a token by its number. */
  private static TokenDecoder numbered(BiFunction<Integer, String, String> change) {
    return tokens -> {
      List<String> changed = new ArrayList<>();
      for (String token : tokens) {
        changed.add(change.apply(changed.size(), token));
      }
      return changed;
    };
  }

  private static TokenDecoder bpe(String suffix) {
    return tokens -> {
      List<String> changed = new ArrayList<>();
      for (String token : tokens) {
        changed.add(token.replace(suffix, changed.size() == tokens.size() - 1 ? "" : " "));
      }
      return changed;
    };
  }

  private static String byteLevel(List<String> tokens) {
    ByteBuffer all =
        ByteBuffer.allocate(tokens.stream().mapToInt(token -> 3 * token.length()).sum());
    for (String token : tokens) {
      byte[] bytes = ByteAlphabet.bytes(token);
      all.put(bytes == null ? token.getBytes(StandardCharsets.UTF_8) : bytes);
    }
    return new String(all.array(), 0, all.position(), StandardCharsets.UTF_8);
  }

  /** Turns runs of tokens such as {@code <0x0A>} into the text of these bytes. */
  private static List<String> byteFallback(List<String> tokens) {
    List<String> changed = new ArrayList<>();
    List<Byte> bytes = new ArrayList<>();
    for (String token : tokens) {
      int value = byteValue(token);
      if (value >= 0) {
        bytes.add((byte) value);
      } else {
        flush(bytes, changed);
        changed.add(token);
      }
    }
    flush(bytes, changed);
    return changed;
  }

  private static int byteValue(String token) {
    return token.length() == 6
            && token.startsWith("<0x")
            && token.endsWith(">")
            && Character.digit(token.charAt(3), 16) >= 0
            && Character.digit(token.charAt(4), 16) >= 0
            && token.charAt(3) < 128
            && token.charAt(4) < 128
        ? Integer.parseInt(token.substring(3, 5), 16)
        : -1;
  }

  private static void flush(List<Byte> bytes, List<String> into) {
    if (bytes.isEmpty()) {
      return;
    }
    ByteBuffer buffer = ByteBuffer.allocate(bytes.size());
    bytes.forEach(buffer::put);
    try {
      into.add(StandardCharsets.UTF_8.newDecoder().decode(buffer.flip()).toString());
    } catch (CharacterCodingException e) {
      into.addAll(Collections.nCopies(bytes.size(), "\uFFFD"));
    }
    bytes.clear();
  }

  private static TokenDecoder ctc(JsonFields fields) {
    String padding = fields.text("pad_token", "<pad>");
    String delimiter = fields.text("word_delimiter_token", "|");
    boolean clean = fields.flag("cleanup", true);
    return tokens -> {
      List<String> changed = new ArrayList<>();
      String previous = null;
      for (String token : tokens) {
        if (!token.equals(previous)) {
          String text = padding.isEmpty() ? token : token.replace(padding, "");
          if (clean) {
            text = cleaned(text);
            text = delimiter.isEmpty() ? text : text.replace(delimiter, " ");
          }
          if (!text.isEmpty()) {
            changed.add(text);
          }
        }
        previous = token;
      }
      return changed;
    };
  }

  private static TokenDecoder metaspace(JsonFields fields) {
    String sign = Character.toString(fields.character("replacement"));
    boolean prepended = PreTokenizer.PrependScheme.of(fields) != PreTokenizer.PrependScheme.NEVER;
    return numbered((i, token) -> token.replace(sign, i == 0 && prepended ? "" : " "));
  }

  private static String strip(String token, int content, int start, int stop) {
    int[] characters = token.codePoints().toArray();
    int from = 0;
    while (from < Math.min(start, characters.length) && characters[from] == content) {
      from++;
    }
    int to = characters.length;
    while (to > from && characters.length - to < stop && characters[to - 1] == content) {
      to--;
    }
    return new String(characters, from, to - from);
  }

  private static TokenDecoder wordPiece(JsonFields fields) {
    String prefix = fields.text("prefix", "##");
    boolean clean = fields.flag("cleanup", true);
    return numbered(
        (i, token) -> {
          String text = token;
          if (i > 0) {
            text = token.startsWith(prefix) ? token.substring(prefix.length()) : " " + token;
          }
          return clean ? cleaned(text) : text;
        });
  }

  /** Takes away the spaces that English does not have before punctuation and endings. */
  private static String cleaned(String text) {
    return text.replace(" .", ".")
        .replace(" ?", "?")
        .replace(" !", "!")
        .replace(" ,", ",")
        .replace(" ' ", "'")
        .replace(" n't", "n't")
        .replace(" 'm", "'m")
        .replace(" do not", " don't")
        .replace(" 's", "'s")
        .replace(" 've", "'ve")
        .replace(" 're", "'re");
  }
}
