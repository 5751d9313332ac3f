package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.util.stream.IntStream;

/**
 * The special tokens that a tokenizer puts around a text: its {@code post_processor}.
 *
 * @param before ids before the text
 * @param after ids after the text
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SpecialTokens(int[] before, int[] after) {
  private static final SpecialTokens NONE = new SpecialTokens(new int[0], new int[0]);

  /**
   * Reads a post-processor.
   *
   * @param fields null for none
   */
  static SpecialTokens of(JsonFields fields) {
    if (fields == null) {
      return NONE;
    }
    return switch (fields.type()) {
      case "ByteLevel" -> NONE; // only changes where a token stands in the text
      case "BertProcessing", "RobertaProcessing" ->
          new SpecialTokens(new int[] {pair(fields, "cls")}, new int[] {pair(fields, "sep")});
      case "TemplateProcessing" -> template(fields);
      case "Sequence" -> {
        SpecialTokens all = NONE;
        for (JsonFields part : fields.objects("processors")) {
          all = of(part).around(all);
        }
        yield all;
      }
      default ->
          throw fields.unknownType(
              "BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing");
    };
  }

  private SpecialTokens around(SpecialTokens inner) {
    return new SpecialTokens(joined(before, inner.before), joined(inner.after, after));
  }

  private static int[] joined(int[] first, int[] second) {
    return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
  }

  /** The id of a token that stands as a list of its text and its id. */
  private static int pair(JsonFields fields, String name) {
    JsonNode pair = fields.list(name);
    if (pair.size() != 2 || !JsonFields.isId(pair.get(1))) {
      throw new DataException(
          fields.path()
              + "."
              + name
              + " is "
              + FormatException.oneLine(pair.toString())
              + ": expected a token and its id");
    }
    return pair.get(1).intValue();
  }

  private static SpecialTokens template(JsonFields fields) {
    TokenIds before = new TokenIds();
    TokenIds after = new TokenIds();
    int texts = 0;
    for (JsonFields piece : fields.objects("single")) {
      if (piece.has("Sequence")) {
        texts++;
      } else {
        (texts == 0 ? before : after).addAll(ids(fields, piece.required("SpecialToken")));
      }
    }
    if (texts != 1) {
      throw new DataException(
          fields.path() + ".single has " + texts + " places for the text: expected one");
    }
    return new SpecialTokens(before.toArray(), after.toArray());
  }

  private static int[] ids(JsonFields fields, JsonFields piece) {
    String name = piece.text("id");
    JsonNode ids = fields.required("special_tokens").node().path(name).path("ids");
    if (!ids.isArray()) {
      throw new DataException(
          fields.path()
              + ".single has the special token "
              + FormatException.quote(name)
              + ", which special_tokens does not list");
    }
    TokenIds read = new TokenIds();
    for (JsonNode id : ids) {
      if (!JsonFields.isId(id)) {
        throw new DataException(
            fields.path()
                + ".special_tokens has the id "
                + FormatException.oneLine(id.toString())
                + " for "
                + FormatException.quote(name)
                + ": expected 0 to "
                + (JsonFields.MOST_IDS - 1));
      }
      read.add(id.intValue());
    }
    return read.toArray();
  }
}
