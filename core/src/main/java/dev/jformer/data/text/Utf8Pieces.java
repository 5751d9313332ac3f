package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Decodes documents in pieces of bounded size; its buffers serve one document after another. */
final class Utf8Pieces {
  private static final int PIECE = 1 << 20;

  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT);
  private final ByteBuffer bytes = ByteBuffer.allocate(PIECE);
  private final CharBuffer chars = CharBuffer.allocate(PIECE + 4);
  private final StringBuilder rest = new StringBuilder();

  /**
   * Passes a document on, piece by piece.
   *
   * @param name of the document, for messages
   * @param most the bytes that it should have; reading ends soon after
   * @return the bytes that were read
   * @throws DataException if it is not valid UTF-8
   */
  long read(String name, long most, InputStream in, Corpus.Reader reader) throws IOException {
    decoder.reset();
    bytes.clear();
    chars.clear();
    rest.setLength(0);
    long consumed = 0;
    boolean end = false;
    while (!end && consumed <= most) {
      int count = in.readNBytes(bytes.array(), bytes.position(), bytes.remaining());
      end = bytes.position() + count < bytes.limit();
      bytes.position(bytes.position() + count).flip();
      CoderResult result = decoder.decode(bytes, chars, end);
      if (result.isError()) {
        throw new DataException(
            name
                + " is not valid UTF-8 at byte "
                + (consumed + bytes.position())
                + ": convert it, for example with iconv");
      }
      consumed += bytes.position();
      bytes.compact();
      rest.append(chars.flip());
      chars.clear();
      int cut = end ? rest.length() : safeCut(rest);
      if (cut > 0) {
        reader.piece(rest.substring(0, cut));
        rest.delete(0, cut);
      }
    }
    return consumed;
  }

  /**
   * A position after a line break between two visible characters: tokenizers never join text across
   * such a break.
   */
  private static int safeCut(CharSequence text) {
    for (int i = text.length() - 2; i > 1; i--) {
      if (text.charAt(i) == '\n'
          && !Character.isWhitespace(text.charAt(i - 1))
          && !Character.isWhitespace(text.charAt(i + 1))) {
        return i + 1;
      }
    }
    boolean pair = Character.isHighSurrogate(text.charAt(text.length() - 1));
    return text.length() - (pair ? 1 : 0);
  }
}
