package dev.jformer.hub;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.jformer.config.RegularFile;
import dev.jformer.io.FormatException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Reads the graph of an ONNX file. Field numbers are those of ONNX's {@code onnx.proto}; so few are
 * needed that generated code is not worth it.
 */
final class OnnxReader {
  /** Tensors of at most this many bytes are read at once; larger ones stay in the file. */
  private static final int SMALL = 4096;

  private final Path file;
  private final long size;
  private final CodedInputStream in;
  private final Set<String> inputs = new HashSet<>();
  private final List<OnnxGraph.Node> nodes = new ArrayList<>();
  private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
  private boolean found;

  private OnnxReader(Path file, long size, InputStream stream) {
    this.file = file;
    this.size = size;
    this.in = CodedInputStream.newInstance(stream);
  }

  /**
   * Reads a file's graph.
   *
   * @throws FormatException if it is not an ONNX file, is cut off, or holds tensors of an
   *     unsupported kind
   * @throws IOException if it cannot be read
   */
  static OnnxGraph read(Path file) throws IOException {
    try (InputStream stream = Files.newInputStream(RegularFile.check(file))) {
      return new OnnxReader(file, Files.size(file), stream).model();
    } catch (InvalidProtocolBufferException e) {
      throw new FormatException(
          file + ": is not an ONNX file or is damaged: " + FormatException.oneLine(e.getMessage()),
          e);
    }
  }

  /** Reads one field of a message; returns false to skip it. */
  private interface Field {
    boolean read(int number) throws IOException;
  }

  private void message(Field field) throws IOException {
    int length = in.readRawVarint32();
    long missing = in.getTotalBytesRead() + (length & 0xFFFFFFFFL) - size;
    if (missing > 0) {
      throw new FormatException(file + ": is cut off: " + missing + " bytes are missing");
    }
    int limit = in.pushLimit(length);
    fields(field);
    if (in.getBytesUntilLimit() > 0) {
      throw new FormatException(file + ": is damaged at byte " + in.getTotalBytesRead());
    }
    in.popLimit(limit);
  }

  private void fields(Field field) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      int number = WireFormat.getTagFieldNumber(tag);
      int type = WireFormat.getTagWireType(tag);
      wire = type;
      if (!field.read(number) && !in.skipField(tag)) {
        throw new FormatException(
            file + ": is not an ONNX file or is damaged at byte " + in.getTotalBytesRead());
      }
    }
  }

  /** The wire type of the field being read. */
  private int wire;

  private boolean packed() {
    return wire == WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }

  private OnnxGraph model() throws IOException {
    fields(
        number -> {
          if (number != 7 || !packed()) {
            return false;
          }
          found = true;
          message(this::graph);
          return true;
        });
    if (!found) {
      throw new FormatException(file + ": is not an ONNX file: it holds no graph");
    }
    return new OnnxGraph(file, inputs, nodes, tensors);
  }

  private boolean graph(int number) throws IOException {
    if (!packed()) {
      return false;
    }
    switch (number) {
      case 1 -> node();
      case 5 -> {
        OnnxTensor tensor = tensor();
        tensors.put(tensor.name(), tensor);
      }
      case 11 ->
          message(
              field -> {
                if (field != 1) {
                  return false;
                }
                inputs.add(in.readString());
                return true;
              });
      default -> {
        return false;
      }
    }
    return true;
  }

  private void node() throws IOException {
    String[] text = {"", "", ""};
    List<String> takes = new ArrayList<>();
    List<String> makes = new ArrayList<>();
    Map<String, OnnxGraph.Attribute> attributes = new HashMap<>();
    message(
        number -> {
          switch (number) {
            case 1 -> takes.add(in.readString());
            case 2 -> makes.add(in.readString());
            case 3 -> text[0] = in.readString();
            case 4 -> text[1] = in.readString();
            case 5 -> attribute(attributes);
            case 7 -> text[2] = in.readString();
            default -> {
              return false;
            }
          }
          return true;
        });
    nodes.add(new OnnxGraph.Node(text[0], text[1], text[2], takes, makes, attributes));
  }

  private void attribute(Map<String, OnnxGraph.Attribute> attributes) throws IOException {
    String[] name = {""};
    long[] integer = {0};
    double[] real = {Double.NaN};
    OnnxTensor[] tensor = {null};
    message(
        number -> {
          switch (number) {
            case 1 -> name[0] = in.readString();
            case 2 -> real[0] = OnnxTensor.shortestDecimal(in.readFloat());
            case 3 -> integer[0] = in.readInt64();
            case 5 -> tensor[0] = tensor();
            default -> {
              return false;
            }
          }
          return true;
        });
    attributes.put(name[0], new OnnxGraph.Attribute(integer[0], real[0], tensor[0]));
  }

  /** A tensor while its fields are read. */
  private static final class Draft {
    private String name = "";
    private int type;
    private boolean external;
    private final List<Long> dims = new ArrayList<>();

    /** Values that are stored one by one. */
    private final ByteArrayOutputStream values = new ByteArrayOutputStream();

    /** The field that holds the values. */
    private int field;

    private long offset = -1;
    private long bytes;
  }

  private OnnxTensor tensor() throws IOException {
    Draft draft = new Draft();
    message(
        number -> {
          switch (number) {
            case 1 -> integers(draft.dims::add);
            case 2 -> draft.type = in.readInt32();
            case 8 -> draft.name = in.readString();
            case 4, 9, 10 -> little(draft, number);
            case 5 -> integers(value -> append(draft, 5, bytes(draft.type), value));
            case 7 -> integers(value -> append(draft, 7, 8, value));
            case 14 -> draft.external = in.readEnum() != 0;
            default -> {
              return false;
            }
          }
          return true;
        });
    return finish(draft);
  }

  /** Reads integers of a repeated field: all of a packed one, or a single one. */
  private void integers(LongConsumer consumer) throws IOException {
    if (!packed()) {
      consumer.accept(in.readInt64());
      return;
    }
    int limit = in.pushLimit(in.readRawVarint32());
    while (in.getBytesUntilLimit() > 0) {
      consumer.accept(in.readInt64());
    }
    in.popLimit(limit);
  }

  /** The bytes of an element of a type whose values stand among 32-bit integers. */
  private static int bytes(int type) {
    return switch (type) {
      case 2, 3 -> 1;
      case 6 -> 4;
      default -> 2;
    };
  }

  private static void append(Draft draft, int field, int bytes, long value) {
    draft.field = field;
    ByteBuffer one = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value);
    draft.values.write(one.array(), 0, bytes);
  }

  /** Reads values that are stored as in memory, all at once or one by one. */
  private void little(Draft draft, int field) throws IOException {
    draft.field = field;
    if (!packed()) {
      draft.values.writeBytes(in.readRawBytes(wire == WireFormat.WIRETYPE_FIXED64 ? 8 : 4));
      return;
    }
    int length = in.readRawVarint32();
    long offset = in.getTotalBytesRead();
    if (length < 0 || length > size - offset) {
      throw new FormatException(
          file
              + ": ends within the tensor "
              + FormatException.oneLine(draft.name)
              + ": "
              + ((length & 0xFFFFFFFFL) - (size - offset))
              + " bytes are missing");
    }
    if (length <= SMALL) {
      draft.values.writeBytes(in.readRawBytes(length));
      return;
    }
    draft.offset = offset;
    draft.bytes = length;
    in.skipRawBytes(length);
  }

  private OnnxTensor finish(Draft draft) {
    String what = file + ": the tensor " + FormatException.oneLine(draft.name);
    if (draft.external) {
      throw new FormatException(
          what
              + " is in another file, which is not supported: export the model with its weights in"
              + " one file");
    }
    DType dtype =
        switch (draft.type) {
          case 1 -> DType.FLOAT32;
          case 2 -> DType.UINT8;
          case 3 -> DType.INT8;
          case 6 -> DType.INT32;
          case 7 -> DType.INT64;
          case 10 -> DType.FLOAT16;
          case 11 -> DType.FLOAT64;
          case 16 -> DType.BFLOAT16;
          default -> null;
        };
    if (dtype == null) {
      // No weight has this type: it may be a mask or a string that is not needed.
      return new OnnxTensor(draft.name, Shape.of(0), DType.INT64, file, 0, ByteBuffer.allocate(0));
    }
    boolean fits =
        switch (draft.field) {
          case 0, 9 -> true;
          case 4 -> dtype == DType.FLOAT32;
          case 5 ->
              dtype == DType.INT32
                  || dtype == DType.INT8
                  || dtype == DType.UINT8
                  || dtype == DType.FLOAT16
                  || dtype == DType.BFLOAT16;
          case 7 -> dtype == DType.INT64;
          default -> dtype == DType.FLOAT64;
        };
    if (!fits) {
      throw new FormatException(what + " of type " + dtype + " is stored as another type");
    }
    long[] dims = draft.dims.stream().mapToLong(Long::longValue).toArray();
    long bytes = dtype.bytes();
    for (long dim : dims) {
      if (dim < 0 || (dim > 0 && bytes > Integer.MAX_VALUE / dim)) {
        throw new FormatException(what + " has the impossible size " + Shape.of(dims));
      }
      bytes *= dim;
    }
    long stored = draft.offset < 0 ? draft.values.size() : draft.bytes;
    if (stored != bytes) {
      throw new FormatException(
          what + " of size " + Shape.of(dims) + " has " + stored + " bytes: expected " + bytes);
    }
    ByteBuffer values = draft.offset < 0 ? ByteBuffer.wrap(draft.values.toByteArray()) : null;
    return new OnnxTensor(draft.name, Shape.of(dims), dtype, file, draft.offset, values);
  }
}
