package dev.jformer.data.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.DiskRoom;
import dev.jformer.io.FileTree;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * The tokens of a corpus on disk, memory-mapped: {@code tokens.bin}, and {@code tokens.json} that
 * describes them. The end of the corpus is held out for validation.
 */
public final class TokenFile implements AutoCloseable {
  private static final String TOKENS = "tokens.bin";
  private static final String HEADER = "tokens.json";
  private static final Set<DType> TYPES = EnumSet.of(DType.UINT8, DType.INT16, DType.INT32);
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS).build();

  /**
   * The description of the tokens.
   *
   * @param vocabulary ids are below this
   * @param type the type in which they are stored
   * @param trainTokens number of tokens for training
   * @param validationTokens number of tokens held out, after those
   * @param trainBytes bytes of the training text
   * @param validationBytes bytes of the held-out text
   * @param fingerprint of the corpus and the tokenizer they came from
   */
  public record Header(
      int vocabulary,
      DType type,
      long trainTokens,
      long validationTokens,
      long trainBytes,
      long validationBytes,
      String fingerprint) {
    long tokens() {
      return trainTokens + validationTokens;
    }

    long bytes() {
      return tokens() * type.bytes();
    }

    /** Whether all fields are present, and no sum or product overflows. */
    private boolean isSound() {
      long most = Long.MAX_VALUE / 16;
      return vocabulary > 0
          && TYPES.contains(type)
          && fingerprint != null
          && 0 <= trainTokens
          && trainTokens <= most
          && 0 <= validationTokens
          && validationTokens <= most;
    }
  }

  private final Header header;
  private final Tensor tokens;

  private TokenFile(Header header, Tensor tokens) {
    this.header = header;
    this.tokens = tokens;
  }

  /** Whether a folder holds tokens that were written completely. */
  public static boolean exists(Path folder) {
    return Files.exists(folder.resolve(HEADER));
  }

  /**
   * Opens the tokens in a folder.
   *
   * @throws DataException if there are none, or they are damaged
   */
  public static TokenFile open(Path folder) {
    Path file = folder.resolve(TOKENS);
    try {
      Header header = JSON.readValue(Files.readAllBytes(folder.resolve(HEADER)), Header.class);
      long found = Files.size(file);
      if (header == null || !header.isSound()) {
        throw damaged(folder, null);
      }
      if (found != header.bytes()) {
        throw new DataException(
            file
                + " has "
                + found
                + " bytes, expected "
                + header.bytes()
                + ": delete "
                + folder
                + " to have the text encoded again");
      }
      return new TokenFile(header, map(file, header).keep());
    } catch (JsonProcessingException e) {
      throw damaged(folder, e);
    } catch (IOException e) {
      throw new DataException("no tokens in " + folder + ": " + e.getMessage(), e);
    }
  }

  private static DataException damaged(Path folder, Exception cause) {
    return new DataException(
        folder.resolve(HEADER)
            + " is damaged: delete "
            + folder
            + " to have the text encoded again",
        cause);
  }

  private static Tensor map(Path file, Header header) {
    return Files.isWritable(file)
        ? Tensor.mapShared(file, header.type(), header.tokens())
        : Tensor.map(file, header.type(), header.tokens());
  }

  /**
   * Opens the tokens in a folder if they are those of this corpus and tokenizer; otherwise encodes
   * the corpus.
   *
   * @param validation share of the corpus' bytes, at its end, that is held out
   * @param progress called with the bytes of text done so far
   * @throws DataException if the corpus cannot be read
   * @throws IOException if the files cannot be written, or would fill the disk; nothing
   *     half-written is left
   */
  public static TokenFile prepare(
      Path folder, Corpus corpus, Tokenizer tokenizer, double validation, LongConsumer progress)
      throws IOException {
    FileTree.createFolder(folder);
    return prepare(folder, corpus, tokenizer, validation, progress, DiskRoom.of(folder));
  }

  static TokenFile prepare(
      Path folder,
      Corpus corpus,
      Tokenizer tokenizer,
      double validation,
      LongConsumer progress,
      DiskRoom room)
      throws IOException {
    if (!(validation >= 0 && validation <= 1)) {
      throw new DataException(
          "the share held out for validation is " + validation + ": expected it in [0, 1]");
    }
    String fingerprint = fingerprint(corpus, tokenizer, validation);
    if (Files.exists(folder.resolve(HEADER))) {
      try {
        TokenFile present = open(folder);
        if (present.header.fingerprint().equals(fingerprint)) {
          return present;
        }
        present.close();
      } catch (DataException damaged) {
        // It is encoded again below.
      }
    }
    Files.deleteIfExists(folder.resolve(HEADER));
    try (AtomicFile file = AtomicFile.beside(folder.resolve(TOKENS))) {
      Writer writer = new Writer(file.channel(), room, corpus, tokenizer, validation, progress);
      corpus.read(writer);
      Header header = writer.finish(fingerprint);
      file.commit();
      AtomicFile.write(folder.resolve(HEADER), JSON.writeValueAsBytes(header));
    }
    return open(folder);
  }

  private static String fingerprint(Corpus corpus, Tokenizer tokenizer, double validation)
      throws IOException {
    String text = corpus.fingerprint() + Fingerprint.of(tokenizer.json()) + validation;
    return Fingerprint.of(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The description of the tokens. */
  public Header header() {
    return header;
  }

  /** The tokens for training, as stored. */
  public Tensor train() {
    return tokens.narrow(0, 0, header.trainTokens());
  }

  /** The tokens held out, as stored. */
  public Tensor validation() {
    return tokens.narrow(0, header.trainTokens(), header.validationTokens());
  }

  /**
   * A small excerpt in memory: the first tokens of both parts. Its bytes are estimated in
   * proportion.
   *
   * @param training the most tokens for training
   * @param validation the most tokens held out
   */
  public TokenFile excerpt(long training, long validation) {
    long first = Math.min(training, header.trainTokens());
    long second = Math.min(validation, header.validationTokens());
    Header less =
        new Header(
            header.vocabulary(),
            header.type(),
            first,
            second,
            share(first, header.trainTokens(), header.trainBytes()),
            share(second, header.validationTokens(), header.validationBytes()),
            header.fingerprint() + " " + first + " " + second);
    Tensor both = Tensor.cat(0, train().narrow(0, 0, first), validation().narrow(0, 0, second));
    return new TokenFile(less, both.keep());
  }

  private static long share(long part, long whole, long bytes) {
    return whole == 0 ? 0 : Math.round((double) bytes * part / whole);
  }

  /** Releases the mapping. */
  @Override
  public void close() {
    tokens.close();
  }

  /** Encodes a corpus into a file, cutting it where the validation part begins. */
  private static final class Writer implements Corpus.Reader {
    private static final int ENCODED = 1 << 16;

    /** The share of a text by which the space for all of it is estimated. */
    private static final double ESTIMATED = 0.01;

    private final FileChannel channel;
    private final DiskRoom room;
    private final Corpus corpus;
    private final Tokenizer tokenizer;
    private final LongConsumer progress;
    private final DType type;
    private final long trainBytes;
    private final ByteBuffer buffer =
        ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.nativeOrder());
    private long bytes;
    private long tokens;
    private long trainTokens = -1;

    Writer(
        FileChannel channel,
        DiskRoom room,
        Corpus corpus,
        Tokenizer tokenizer,
        double validation,
        LongConsumer progress) {
      this.channel = channel;
      this.room = room;
      this.corpus = corpus;
      this.tokenizer = tokenizer;
      this.progress = progress;
      this.trainBytes = (long) (corpus.bytes() * (1 - validation));
      this.type = typeFor(tokenizer.vocabularySize());
    }

    private static DType typeFor(int vocabulary) {
      if (vocabulary <= 1 << 8) {
        return DType.UINT8;
      }
      return vocabulary <= 1 << 15 ? DType.INT16 : DType.INT32;
    }

    @Override
    public void piece(String text) throws IOException {
      for (int start = 0; start < text.length(); ) {
        int end = cut(text, start);
        String part = text.substring(start, end);
        if (trainTokens < 0) {
          int boundary = indexOfByte(part, trainBytes - bytes);
          append(part.substring(0, boundary));
          if (bytes >= trainBytes || boundary < part.length()) {
            trainTokens = tokens;
          }
          append(part.substring(boundary));
        } else {
          append(part);
        }
        start = end;
        progress.accept(bytes);
      }
    }

    private static int cut(String text, int start) {
      if (text.length() - start <= ENCODED) {
        return text.length();
      }
      for (int i = start + ENCODED; i > start + 1; i--) {
        if (text.charAt(i - 1) == '\n'
            && !Character.isWhitespace(text.charAt(i))
            && !Character.isWhitespace(text.charAt(i - 2))) {
          return i;
        }
      }
      int end = start + ENCODED;
      return Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end;
    }

    /** The index of the character that starts at or after a byte of the text's UTF-8 form. */
    private static int indexOfByte(String text, long offset) {
      long at = 0;
      for (int i = 0; i < text.length(); ) {
        if (at >= offset) {
          return i;
        }
        int code = text.codePointAt(i);
        at += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        i += Character.charCount(code);
      }
      return text.length();
    }

    private void append(String text) throws IOException {
      if (!text.isEmpty()) {
        bytes += text.getBytes(StandardCharsets.UTF_8).length;
        for (int id : tokenizer.encode(text)) {
          append(id);
        }
      }
    }

    private void append(int id) throws IOException {
      if (buffer.remaining() < 4) {
        flush();
      }
      switch (type) {
        case UINT8 -> buffer.put((byte) id);
        case INT16 -> buffer.putShort((short) id);
        default -> buffer.putInt(id);
      }
      tokens++;
    }

    @Override
    public void endOfDocument(String name) throws IOException {
      if (tokenizer.endOfText().isPresent()) {
        append(tokenizer.endOfText().getAsInt());
      }
    }

    private void flush() throws IOException {
      buffer.flip();
      room.require("the tokens of " + corpus, buffer.remaining() + rest());
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      buffer.clear();
    }

    /** Bytes that the tokens of the rest of the text take, estimated by those so far. */
    private long rest() {
      if (bytes < ESTIMATED * corpus.bytes()) {
        return 0;
      }
      double part = Math.min(1, (double) bytes / corpus.bytes());
      return (long) (tokens * type.bytes() * (1 / part - 1));
    }

    Header finish(String fingerprint) throws IOException {
      flush();
      long train = trainTokens < 0 ? tokens : trainTokens;
      return new Header(
          tokenizer.vocabularySize(),
          type,
          train,
          tokens - train,
          Math.min(trainBytes, bytes),
          Math.max(0, bytes - trainBytes),
          fingerprint);
    }
  }
}
