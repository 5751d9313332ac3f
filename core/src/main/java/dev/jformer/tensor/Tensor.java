package dev.jformer.tensor;

import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * An n-dimensional array of numbers, with automatic differentiation.
 *
 * <p>Operators return new tensors (views where they can); names that end in an underscore, as in
 * PyTorch, change the tensor in place. Shapes broadcast as in PyTorch and NumPy. Dimensions count
 * from 0; negative ones from the last. An operator that cannot be carried out throws {@link
 * TensorException} with the operands' types and shapes.
 *
 * <p>Memory is native: see {@link Scope} for when it is released.
 */
public final class Tensor implements AutoCloseable {
  private final org.bytedeco.pytorch.Tensor handle;

  /** The owner of the memory, if it is not libtorch: held so that it is not collected. */
  @SuppressWarnings({"unused", "FieldCanBeLocal"})
  private final Object owner;

  Tensor(org.bytedeco.pytorch.Tensor handle) {
    this(handle, null);
  }

  private Tensor(org.bytedeco.pytorch.Tensor handle, Object owner) {
    this.handle = handle;
    this.owner = owner;
    UnscopedTensors.made();
  }

  org.bytedeco.pytorch.Tensor torch() {
    return handle;
  }

  // ---- Making tensors

  /** A tensor with these values, in row-major order; without a shape, a vector. */
  public static Tensor of(float[] values, long... shape) {
    return filled(values.length, DType.FLOAT32, shape, at -> new FloatPointer(at).put(values));
  }

  /** A tensor with these values, in row-major order; without a shape, a vector. */
  public static Tensor of(double[] values, long... shape) {
    return filled(values.length, DType.FLOAT64, shape, at -> new DoublePointer(at).put(values));
  }

  /** A tensor with these values, in row-major order; without a shape, a vector. */
  public static Tensor of(long[] values, long... shape) {
    return filled(values.length, DType.INT64, shape, at -> new LongPointer(at).put(values));
  }

  /** A tensor with these values, in row-major order; without a shape, a vector. */
  public static Tensor of(int[] values, long... shape) {
    return filled(values.length, DType.INT32, shape, at -> new IntPointer(at).put(values));
  }

  /** A tensor with these values, in row-major order; without a shape, a vector. */
  public static Tensor of(byte[] values, long... shape) {
    return filled(values.length, DType.INT8, shape, at -> new BytePointer(at).put(values));
  }

  /** A tensor with these values, in row-major order; without a shape, a vector. */
  public static Tensor of(boolean[] values, long... shape) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) (values[i] ? 1 : 0);
    }
    return filled(values.length, DType.BOOL, shape, at -> new BytePointer(at).put(bytes));
  }

  /** A float32 scalar. */
  public static Tensor scalar(double value) {
    return full(value, DType.FLOAT32);
  }

  private static Tensor filled(int count, DType dtype, long[] shape, Consumer<Pointer> values) {
    long[] sizes = shape.length == 0 ? new long[] {count} : shape;
    if (Shape.of(sizes).elements() != count) {
      throw new TensorException(
          count
              + " values do not fill the shape "
              + Shape.of(sizes)
              + ": expected "
              + Shape.of(sizes).elements());
    }
    Tensor tensor = onHost(dtype, sizes);
    if (count > 0 && !tensor.open().is_meta()) {
      values.accept(tensor.data());
    }
    return tensor.toCurrentDevice();
  }

  /** A tensor in the host's memory whose values are not set; without memory in a MetaMode. */
  static Tensor onHost(DType dtype, long... shape) {
    try (Mode host = Device.host()) {
      return empty(dtype, shape);
    }
  }

  /** A tensor whose values are not set. */
  public static Tensor empty(DType dtype, long... shape) {
    Engine.start();
    return Native.call(
        "empty",
        () ->
            torch.empty(
                shape, MetaMode.options(dtype), new org.bytedeco.pytorch.MemoryFormatOptional()));
  }

  /** A tensor of zeros. */
  public static Tensor zeros(DType dtype, long... shape) {
    Engine.start();
    return Native.call("zeros", () -> torch.zeros(shape, MetaMode.options(dtype)));
  }

  /** A float32 tensor of zeros. */
  public static Tensor zeros(long... shape) {
    return zeros(DType.FLOAT32, shape);
  }

  /** A tensor of zeros of this one's shape and type, on its device. */
  public Tensor zerosLike() {
    return call("zeros_like", () -> torch.zeros_like(open()));
  }

  /** A float32 tensor of ones. */
  public static Tensor ones(long... shape) {
    return full(1, DType.FLOAT32, shape);
  }

  /** A tensor with one value everywhere. */
  public static Tensor full(double value, DType dtype, long... shape) {
    Engine.start();
    return Native.call("full", () -> torch.full(shape, new Scalar(value), MetaMode.options(dtype)));
  }

  /** The integers {@code start, start + 1, …, end - 1} as int64. */
  public static Tensor arange(long start, long end) {
    Engine.start();
    return Native.call(
        "arange",
        () -> torch.arange(new Scalar(start), new Scalar(end), MetaMode.options(DType.INT64)));
  }

  /** Independent draws from the standard normal distribution, float32. */
  public static Tensor randn(long... shape) {
    Engine.start();
    return Native.call("randn", () -> torch.randn(shape, MetaMode.options(DType.FLOAT32)));
  }

  /** Independent draws from the uniform distribution on [0, 1), float32. */
  public static Tensor rand(long... shape) {
    Engine.start();
    return Native.call("rand", () -> torch.rand(shape, MetaMode.options(DType.FLOAT32)));
  }

  /** Independent uniform draws from the integers {@code low … high - 1}, int64. */
  public static Tensor randint(long low, long high, long... shape) {
    Engine.start();
    return Native.call(
        "randint", () -> torch.randint(low, high, shape, MetaMode.options(DType.INT64)));
  }

  /** A random permutation of {@code 0 … n - 1}, int64. */
  public static Tensor randperm(long n) {
    Engine.start();
    if (MetaMode.isOpen()) {
      return empty(DType.INT64, n); // libtorch has no permutation without memory
    }
    return Native.call("randperm", () -> torch.randperm(n, MetaMode.options(DType.INT64)));
  }

  /**
   * A file's content as a one-dimensional tensor over memory-mapped pages: nothing is read until it
   * is used. The mapping is private: writing to the tensor does not change the file. For files
   * larger than memory see {@link #mapShared}.
   *
   * @param elements how many elements from the start of the file
   * @throws TensorException if the file cannot be mapped or is shorter than that
   */
  public static Tensor map(Path file, DType dtype, long elements) {
    return map(file, dtype, elements, false);
  }

  /**
   * Like {@link #map}, for files larger than memory: a private mapping of such a size is refused by
   * some systems. The mapping is shared and the file must be writable: writing to the tensor does
   * change the file.
   *
   * @throws TensorException if the file cannot be mapped or is shorter than that
   */
  public static Tensor mapShared(Path file, DType dtype, long elements) {
    return map(file, dtype, elements, true);
  }

  private static Tensor map(Path file, DType dtype, long elements, boolean shared) {
    Engine.start();
    if (!Files.isReadable(file)) {
      throw new TensorException("cannot map " + file + ": no such readable file");
    }
    expectSize(file, elements * dtype.bytes());
    return Native.call(
        "map " + file,
        () ->
            torch.from_file(
                file.toString(),
                new BoolOptional(shared),
                new LongOptional(elements),
                Native.options(dtype, Device.CPU)));
  }

  /** The engine would enlarge a file that is too short for a shared mapping. */
  private static void expectSize(Path file, long bytes) {
    try {
      if (Files.size(file) < bytes) {
        throw new TensorException(
            "cannot map "
                + file
                + ": it has "
                + Files.size(file)
                + " bytes, expected at least "
                + bytes);
      }
    } catch (IOException e) {
      throw new TensorException("cannot map " + file + ": " + e.getMessage());
    }
  }

  /**
   * A tensor over a direct buffer's memory, without a copy: each sees what the other writes. The
   * buffer's remaining bytes, in native byte order, are the values; the tensor keeps the buffer
   * alive, but views of the tensor that outlive it do not.
   *
   * @throws TensorException if the buffer is not direct or has another size
   */
  public static Tensor wrap(ByteBuffer buffer, DType dtype, long... shape) {
    Engine.start();
    if (!buffer.isDirect()) {
      throw new TensorException(
          "the buffer is not direct: only a direct buffer can be wrapped without a copy (see"
              + " ByteBuffer.allocateDirect)");
    }
    long bytes = Shape.of(shape).elements() * dtype.bytes();
    if (buffer.remaining() != bytes) {
      throw new TensorException(
          "a buffer of "
              + buffer.remaining()
              + " bytes does not fill "
              + dtype
              + Shape.of(shape)
              + ": expected "
              + bytes);
    }
    ByteBuffer owner = buffer.slice();
    return new Tensor(
        Native.get(
            "wrap",
            () -> torch.from_blob(new Pointer(owner), shape, Native.options(dtype, Device.CPU))),
        owner);
  }

  // ---- Lifetime

  /**
   * Lets this tensor outlive the scope it was made in; the garbage collector or {@link #close}
   * releases it.
   */
  public Tensor keep() {
    handle.retainReference();
    return this;
  }

  /** Gives a kept tensor to the innermost open scope, which then releases it. */
  Tensor handOver() {
    PointerScope scope = PointerScope.getInnerScope();
    if (scope != null) {
      scope.attach(handle);
      handle.releaseReference();
    }
    return this;
  }

  /** Releases this tensor's hold on its memory now; views and gradients that share it keep it. */
  @Override
  public void close() {
    handle.deallocate();
  }

  /** Whether the memory was released. */
  public boolean isClosed() {
    return handle.isNull();
  }

  // ---- Properties

  /**
   * How often this tensor's values were changed in place, through any tensor that shares them. As
   * long as the count is the same, what was computed from the values still holds. Changes to
   * tensors made in {@link Autograd#inference} are not counted: for them this is 0.
   */
  public long version() {
    return open().is_inference() ? 0 : open()._version();
  }

  /** The sizes of the dimensions. */
  public Shape shape() {
    LongArrayRef sizes = open().sizes();
    long[] result = new long[Math.toIntExact(sizes.size())];
    for (int i = 0; i < result.length; i++) {
      result[i] = sizes.get(i);
    }
    return Shape.of(result);
  }

  /** Size of a dimension; negative counts from the last. */
  public long size(int dim) {
    return Native.get("size", () -> open().size(dim), this);
  }

  /** Number of dimensions. */
  public int rank() {
    return Math.toIntExact(open().dim());
  }

  /** Number of elements. */
  public long elements() {
    return open().numel();
  }

  /** The element type. */
  public DType dtype() {
    return DType.of(open().scalar_type());
  }

  /** The device that holds this tensor. */
  public Device device() {
    return Device.of(open().device());
  }

  /** Whether the elements are in the host's memory, where Java can read them. */
  public boolean isOnHost() {
    return open().is_cpu();
  }

  /** Whether the elements lie in row-major order without gaps. */
  public boolean isContiguous() {
    return open().is_contiguous();
  }

  private org.bytedeco.pytorch.Tensor open() {
    if (handle.isNull()) {
      throw new TensorException("the tensor was released: its scope has closed (see Tensor.keep)");
    }
    return handle;
  }

  // ---- To Java

  /** The value of a tensor with one element. */
  public double item() {
    return Native.get(
        "item", () -> dtype().isFloating() ? open().item_double() : open().item_long(), this);
  }

  /** The value of an integer tensor with one element. */
  public long itemLong() {
    return Native.get("item", () -> open().item_long(), this);
  }

  /** The values in row-major order, converted to float. */
  public float[] toFloats() {
    float[] values = new float[Math.toIntExact(elements())];
    read(DType.FLOAT32, t -> new FloatPointer(t.data()).get(values));
    return values;
  }

  /** The values in row-major order, converted to double. */
  public double[] toDoubles() {
    double[] values = new double[Math.toIntExact(elements())];
    read(DType.FLOAT64, t -> new DoublePointer(t.data()).get(values));
    return values;
  }

  /** The values in row-major order, converted to long. */
  public long[] toLongs() {
    long[] values = new long[Math.toIntExact(elements())];
    read(DType.INT64, t -> new LongPointer(t.data()).get(values));
    return values;
  }

  /** The values in row-major order, converted to int. */
  public int[] toInts() {
    int[] values = new int[Math.toIntExact(elements())];
    read(DType.INT32, t -> new IntPointer(t.data()).get(values));
    return values;
  }

  /** The values' bytes in row-major order and native byte order. */
  public byte[] toBytes() {
    byte[] values = new byte[Math.toIntExact(elements() * dtype().bytes())];
    read(dtype(), t -> new BytePointer(t.data()).get(values));
    return values;
  }

  private void read(DType dtype, Consumer<Tensor> reader) {
    try (Scope scope = Scope.open()) {
      Tensor source = detach().to(Device.CPU).to(dtype).contiguous();
      if (source.elements() > 0) {
        reader.accept(source);
      }
    }
  }

  /**
   * The memory of a contiguous tensor on the CPU as a buffer in native byte order, without a copy.
   * It is valid only while this tensor is open.
   *
   * @throws TensorException if the tensor is not contiguous, not on the CPU or larger than 2 GiB
   */
  public ByteBuffer asBuffer() {
    long bytes = elements() * dtype().bytes();
    if (!isContiguous() || !device().equals(Device.CPU) || bytes > Integer.MAX_VALUE) {
      throw new TensorException(
          "only a contiguous tensor on the CPU of at most 2 GiB has a buffer: this one is "
              + this
              + " on "
              + device());
    }
    if (bytes == 0) {
      return ByteBuffer.allocateDirect(0).order(ByteOrder.nativeOrder());
    }
    Buffer buffer = new BytePointer(data()).capacity(bytes).asBuffer();
    return ((ByteBuffer) buffer).order(ByteOrder.nativeOrder());
  }

  private Pointer data() {
    if (open().is_meta()) {
      throw new TensorException("a tensor made in a dry run has no values: " + this);
    }
    return Native.get("data", () -> open().data_ptr(), this);
  }

  // ---- Types, devices, copies

  /** Converted to another element type; this very tensor if it has it already. */
  public Tensor to(DType dtype) {
    return call("to", () -> open().to(dtype.scalarType()));
  }

  /** Moved to another device; this very tensor if it is there already. */
  public Tensor to(Device device) {
    return device.equals(device())
        ? this
        : call("to", () -> open().to(device.torch(), open().scalar_type()));
  }

  /**
   * Moved to the device on which new tensors are made; this very tensor if it is there already, or
   * has no memory.
   */
  public Tensor toCurrentDevice() {
    boolean there = isOnHost() && Device.current().equals(Device.CPU);
    return there || open().is_meta() ? this : to(Device.current());
  }

  /** A copy with its own memory. */
  public Tensor copy() {
    return call("clone", () -> open().clone());
  }

  /** The same values in row-major order without gaps; this tensor itself if it is so already. */
  public Tensor contiguous() {
    return call("contiguous", () -> open().contiguous());
  }

  /** Copies {@code source}'s values into this tensor, broadcasting and converting them. */
  public Tensor copy_(Tensor source) {
    return inPlace("copy_", () -> open().copy_(source.open()), source);
  }

  // ---- Gradients

  /** The same values, cut off from the graph that gradients flow through. */
  public Tensor detach() {
    return call("detach", () -> open().detach());
  }

  /** Sets whether this is a leaf whose {@link #grad} is filled by {@link #backward}. */
  public Tensor requiresGrad(boolean required) {
    Native.run("requires_grad", () -> open().set_requires_grad(required), this);
    return this;
  }

  /** Whether gradients flow to this tensor. */
  public boolean requiresGrad() {
    return open().requires_grad();
  }

  /** Adds this scalar's gradient to the {@link #grad} of every leaf it depends on. */
  public void backward() {
    Native.run("backward", () -> open().backward(), this);
  }

  /** Like {@link #backward()} for a tensor of any shape, each element weighted. */
  public void backward(Tensor weight) {
    Autograd.checkWeight("backward", this, weight);
    Native.run(
        "backward",
        () ->
            open().backward(weight.open(), new BoolOptional(), false, new TensorArrayRefOptional()),
        this,
        weight);
  }

  /** The gradient accumulated by {@link #backward}, or null if there is none. */
  public Tensor grad() {
    org.bytedeco.pytorch.Tensor grad = open().grad();
    return grad.defined() ? Native.own(grad) : null;
  }

  /** Drops the accumulated gradient and releases its memory. */
  public void clearGrad() {
    open().mutable_grad().reset();
  }

  // ---- Arithmetic

  /** The sum of two tensors, element by element. */
  public Tensor add(Tensor other) {
    return call("add", () -> open().add(other.open()), other);
  }

  /** Adds a number to each element. */
  public Tensor add(double other) {
    return call("add", () -> open().add(new Scalar(other)));
  }

  /** Adds an integer to each element; integers stay integers. */
  public Tensor add(long other) {
    return call("add", () -> open().add(new Scalar(other)));
  }

  /** {@code this + factor * other}. */
  public Tensor add(Tensor other, double factor) {
    return call("add", () -> open().add(other.open(), new Scalar(factor)), other);
  }

  /** The difference of two tensors, element by element. */
  public Tensor sub(Tensor other) {
    return call("sub", () -> open().sub(other.open()), other);
  }

  /** Subtracts a number from each element. */
  public Tensor sub(double other) {
    return call("sub", () -> open().sub(new Scalar(other)));
  }

  /** Subtracts an integer from each element; integers stay integers. */
  public Tensor sub(long other) {
    return call("sub", () -> open().sub(new Scalar(other)));
  }

  /** The product of two tensors, element by element. */
  public Tensor mul(Tensor other) {
    return call("mul", () -> open().mul(other.open()), other);
  }

  /** Multiplies each element by a number. */
  public Tensor mul(double other) {
    return call("mul", () -> open().mul(new Scalar(other)));
  }

  /** Multiplies each element by an integer; integers stay integers. */
  public Tensor mul(long other) {
    return call("mul", () -> open().mul(new Scalar(other)));
  }

  /** The quotient of two tensors, element by element. */
  public Tensor div(Tensor other) {
    return call("div", () -> open().div(other.open()), other);
  }

  /** Divides each element by a number. */
  public Tensor div(double other) {
    return call("div", () -> open().div(new Scalar(other)));
  }

  /** Integer quotient rounded towards minus infinity. */
  public Tensor floorDiv(long other) {
    return call("floor_divide", () -> open().floor_divide(new Scalar(other)));
  }

  /** Remainder with the divisor's sign. */
  public Tensor remainder(long other) {
    return call("remainder", () -> open().remainder(new Scalar(other)));
  }

  /** Negation. */
  public Tensor neg() {
    return call("neg", () -> open().neg());
  }

  /** Raises each element to a power. */
  public Tensor pow(double exponent) {
    return call("pow", () -> open().pow(new Scalar(exponent)));
  }

  /** Square. */
  public Tensor square() {
    return call("square", () -> open().square());
  }

  /** Absolute value. */
  public Tensor abs() {
    return call("abs", () -> open().abs());
  }

  /** Exponential function. */
  public Tensor exp() {
    return call("exp", () -> open().exp());
  }

  /** Natural logarithm. */
  public Tensor log() {
    return call("log", () -> open().log());
  }

  /** Square root. */
  public Tensor sqrt() {
    return call("sqrt", () -> open().sqrt());
  }

  /** Reciprocal of the square root. */
  public Tensor rsqrt() {
    return call("rsqrt", () -> open().rsqrt());
  }

  /** Reciprocal. */
  public Tensor reciprocal() {
    return call("reciprocal", () -> open().reciprocal());
  }

  /** Sine. */
  public Tensor sin() {
    return call("sin", () -> open().sin());
  }

  /** Cosine. */
  public Tensor cos() {
    return call("cos", () -> open().cos());
  }

  /** Hyperbolic tangent. */
  public Tensor tanh() {
    return call("tanh", () -> open().tanh());
  }

  /** Error function. */
  public Tensor erf() {
    return call("erf", () -> open().erf());
  }

  /** Logistic function. */
  public Tensor sigmoid() {
    return call("sigmoid", () -> open().sigmoid());
  }

  /** {@code max(0, x)}. */
  public Tensor relu() {
    return call("relu", () -> open().relu());
  }

  /** The sign of each element: -1, 0 or 1. */
  public Tensor sign() {
    return call("sign", () -> open().sign());
  }

  /** Rounds to the nearest integer, ties to even. */
  public Tensor round() {
    return call("round", () -> open().round());
  }

  /** Rounds down. */
  public Tensor floor() {
    return call("floor", () -> open().floor());
  }

  /** Limits elements to {@code [low, high]}. */
  public Tensor clamp(double low, double high) {
    return call(
        "clamp",
        () ->
            open()
                .clamp(new ScalarOptional(new Scalar(low)), new ScalarOptional(new Scalar(high))));
  }

  /** The larger of two elements, element by element. */
  public Tensor maximum(Tensor other) {
    return call("maximum", () -> open().maximum(other.open()), other);
  }

  /** The smaller of two elements, element by element. */
  public Tensor minimum(Tensor other) {
    return call("minimum", () -> open().minimum(other.open()), other);
  }

  // ---- In place

  /** {@code this += other}. */
  public Tensor add_(Tensor other) {
    return inPlace("add_", () -> open().add_(other.open()), other);
  }

  /** {@code this += factor * other}. */
  public Tensor add_(Tensor other, double factor) {
    return inPlace("add_", () -> open().add_(other.open(), new Scalar(factor)), other);
  }

  /** {@code this += other}. */
  public Tensor add_(double other) {
    return inPlace("add_", () -> open().add_(new Scalar(other)));
  }

  /** {@code this += other}; integers stay integers. */
  public Tensor add_(long other) {
    return inPlace("add_", () -> open().add_(new Scalar(other)));
  }

  /** {@code this *= other}. */
  public Tensor mul_(Tensor other) {
    return inPlace("mul_", () -> open().mul_(other.open()), other);
  }

  /** {@code this *= other}. */
  public Tensor mul_(double other) {
    return inPlace("mul_", () -> open().mul_(new Scalar(other)));
  }

  /** {@code this *= other}; integers stay integers. */
  public Tensor mul_(long other) {
    return inPlace("mul_", () -> open().mul_(new Scalar(other)));
  }

  /** {@code this /= other}. */
  public Tensor div_(Tensor other) {
    return inPlace("div_", () -> open().div_(other.open()), other);
  }

  /** Interpolates towards {@code end}: {@code this += weight * (end - this)}. */
  public Tensor lerp_(Tensor end, double weight) {
    return inPlace("lerp_", () -> open().lerp_(end.open(), new Scalar(weight)), end);
  }

  /** Sets every element. */
  public Tensor fill_(double value) {
    return inPlace("fill_", () -> open().fill_(new Scalar(value)));
  }

  /** Sets every element to zero. */
  public Tensor zero_() {
    return inPlace("zero_", () -> open().zero_());
  }

  /** Fills with independent draws from a normal distribution. */
  public Tensor normal_(double mean, double deviation) {
    return inPlace(
        "normal_",
        () -> open().normal_(mean, deviation, new org.bytedeco.pytorch.GeneratorOptional()));
  }

  /** Fills with independent draws from the uniform distribution on [low, high). */
  public Tensor uniform_(double low, double high) {
    return inPlace(
        "uniform_", () -> open().uniform_(low, high, new org.bytedeco.pytorch.GeneratorOptional()));
  }

  /** Sets the elements where {@code mask} is true. */
  public Tensor maskedFill_(Tensor mask, double value) {
    return inPlace("masked_fill_", () -> open().masked_fill_(mask.open(), new Scalar(value)), mask);
  }

  /**
   * Adds the slices of {@code source} to those of this tensor that {@code index} names, along
   * {@code dim}.
   */
  public Tensor indexAdd_(int dim, Tensor index, Tensor source) {
    return inPlace(
        "index_add_", () -> open().index_add_(dim, index.open(), source.open()), index, source);
  }

  /**
   * Overwrites the slices of this tensor that {@code index} names, along {@code dim}, by those of
   * {@code source}.
   */
  public Tensor indexCopy_(int dim, Tensor index, Tensor source) {
    return inPlace(
        "index_copy_", () -> open().index_copy_(dim, index.open(), source.open()), index, source);
  }

  // ---- Comparison and logic (bool tensors)

  /** Whether elements are equal, element by element. */
  public Tensor eq(Tensor other) {
    return call("eq", () -> open().eq(other.open()), other);
  }

  /** Whether elements equal a number. */
  public Tensor eq(double other) {
    return call("eq", () -> open().eq(new Scalar(other)));
  }

  /** Whether elements equal an integer, compared exactly. */
  public Tensor eq(long other) {
    return call("eq", () -> open().eq(new Scalar(other)));
  }

  /** Whether elements are less, element by element. */
  public Tensor lt(Tensor other) {
    return call("lt", () -> open().lt(other.open()), other);
  }

  /** Whether elements are less than a number. */
  public Tensor lt(double other) {
    return call("lt", () -> open().lt(new Scalar(other)));
  }

  /** Whether elements are less than an integer, compared exactly. */
  public Tensor lt(long other) {
    return call("lt", () -> open().lt(new Scalar(other)));
  }

  /** Whether elements are less or equal, element by element. */
  public Tensor le(Tensor other) {
    return call("le", () -> open().le(other.open()), other);
  }

  /** Whether elements are less than or equal to a number. */
  public Tensor le(double other) {
    return call("le", () -> open().le(new Scalar(other)));
  }

  /** Whether elements are less than or equal to an integer, compared exactly. */
  public Tensor le(long other) {
    return call("le", () -> open().le(new Scalar(other)));
  }

  /** Whether elements are greater, element by element. */
  public Tensor gt(Tensor other) {
    return call("gt", () -> open().gt(other.open()), other);
  }

  /** Whether elements are greater than a number. */
  public Tensor gt(double other) {
    return call("gt", () -> open().gt(new Scalar(other)));
  }

  /** Whether elements are greater than an integer, compared exactly. */
  public Tensor gt(long other) {
    return call("gt", () -> open().gt(new Scalar(other)));
  }

  /** Whether elements are greater or equal, element by element. */
  public Tensor ge(Tensor other) {
    return call("ge", () -> open().ge(other.open()), other);
  }

  /** Whether elements are greater than or equal to a number. */
  public Tensor ge(double other) {
    return call("ge", () -> open().ge(new Scalar(other)));
  }

  /** Whether elements are greater than or equal to an integer, compared exactly. */
  public Tensor ge(long other) {
    return call("ge", () -> open().ge(new Scalar(other)));
  }

  /** Logical and, element by element. */
  public Tensor and(Tensor other) {
    return call("logical_and", () -> open().logical_and(other.open()), other);
  }

  /** Logical or, element by element. */
  public Tensor or(Tensor other) {
    return call("logical_or", () -> open().logical_or(other.open()), other);
  }

  /** Logical not, element by element. */
  public Tensor not() {
    return call("logical_not", () -> open().logical_not());
  }

  /** Whether elements are neither infinite nor NaN. */
  public Tensor isFinite() {
    return call("isfinite", () -> open().isfinite());
  }

  /**
   * The indices of all elements that are not 0.
   *
   * @return int64 [n, dimensions], a row of indices for each such element
   */
  public Tensor nonzero() {
    return call("nonzero", () -> open().nonzero());
  }

  /** Whether any element is nonzero. */
  public boolean any() {
    return Native.get("any", () -> open().any().item_bool(), this);
  }

  /** Whether all elements are nonzero. */
  public boolean all() {
    return Native.get("all", () -> open().all().item_bool(), this);
  }

  /** Whether both have the same shape and the same values. */
  public boolean sameAs(Tensor other) {
    return Native.get(
        "equal",
        () -> shape().equals(other.shape()) && torch.equal(open(), other.open()),
        this,
        other);
  }

  /** This tensor's elements where {@code condition} is true, else those of {@code other}. */
  public Tensor where(Tensor condition, Tensor other) {
    return call(
        "where", () -> torch.where(condition.open(), open(), other.open()), condition, other);
  }

  /** A copy with {@code value} where {@code mask} is true. */
  public Tensor maskedFill(Tensor mask, double value) {
    return call("masked_fill", () -> open().masked_fill(mask.open(), new Scalar(value)), mask);
  }

  // ---- Reductions

  /** Sum of all elements. */
  public Tensor sum() {
    return call("sum", () -> open().sum());
  }

  /** Sum over a dimension. */
  public Tensor sum(int dim, boolean keepDim) {
    return call("sum", () -> open().sum(new long[] {dim}, keepDim, new ScalarTypeOptional()));
  }

  /** Mean of all elements. */
  public Tensor mean() {
    return call("mean", () -> open().mean());
  }

  /** Mean over a dimension. */
  public Tensor mean(int dim, boolean keepDim) {
    return call("mean", () -> open().mean(new long[] {dim}, keepDim, new ScalarTypeOptional()));
  }

  /** Variance over a dimension, divided by n. */
  public Tensor variance(int dim, boolean keepDim) {
    return call("var", () -> open().var(new long[] {dim}, false, keepDim));
  }

  /** The largest of all elements. */
  public Tensor max() {
    return call("max", () -> open().amax());
  }

  /** The largest element along a dimension. */
  public Tensor max(int dim, boolean keepDim) {
    return call("amax", () -> open().amax(new long[] {dim}, keepDim));
  }

  /** The smallest of all elements. */
  public Tensor min() {
    return call("min", () -> open().amin());
  }

  /** The smallest element along a dimension. */
  public Tensor min(int dim, boolean keepDim) {
    return call("amin", () -> open().amin(new long[] {dim}, keepDim));
  }

  /** Index of the largest element along a dimension, int64. */
  public Tensor argmax(int dim) {
    return call("argmax", () -> open().argmax(new LongOptional(dim), false));
  }

  /** Euclidean norm of all elements. */
  public Tensor norm() {
    return call("norm", () -> open().norm());
  }

  /** Running sum along a dimension. */
  public Tensor cumsum(int dim) {
    return call("cumsum", () -> open().cumsum(dim, new ScalarTypeOptional()));
  }

  /** Running maximum along a dimension. */
  public Tensor cummax(int dim) {
    return call("cummax", () -> torch.cummax(open(), dim).get0());
  }

  /** Softmax along a dimension. */
  public Tensor softmax(int dim) {
    return call("softmax", () -> open().softmax(dim, new ScalarTypeOptional()));
  }

  /** {@code this + a * b}, element by element, in one pass. */
  public Tensor addProduct(Tensor a, Tensor b) {
    return call("addcmul", () -> open().addcmul(a.open(), b.open()), a, b);
  }

  /** Logarithm of the softmax along a dimension. */
  public Tensor logSoftmax(int dim) {
    return call("log_softmax", () -> open().log_softmax(dim, new ScalarTypeOptional()));
  }

  /** Logarithm of the sum of exponentials along a dimension. */
  public Tensor logSumExp(int dim, boolean keepDim) {
    return call("logsumexp", () -> torch.logsumexp(open(), new long[] {dim}, keepDim));
  }

  /**
   * The {@code k} largest elements along a dimension, in falling order.
   *
   * @return their values and their int64 indices
   */
  public Ranked topK(int k, int dim) {
    return Native.get(
        "topk",
        () -> {
          var both = torch.topk(open(), k, dim, true, true);
          return new Ranked(Native.own(both.get0()), Native.own(both.get1()));
        },
        this);
  }

  /**
   * The elements sorted along a dimension; equal ones keep their order.
   *
   * @return the values and their int64 indices
   */
  public Ranked sort(int dim, boolean descending) {
    return Native.get(
        "sort",
        () -> {
          var both = torch.sort(open(), new BoolOptional(true), dim, descending);
          return new Ranked(Native.own(both.get0()), Native.own(both.get1()));
        },
        this);
  }

  /**
   * Elements selected along a dimension, and their positions.
   *
   * @param values the elements
   * @param indices their int64 positions along the dimension
   */
  public record Ranked(Tensor values, Tensor indices) {}

  // ---- Linear algebra

  /** Matrix product over the last two dimensions; the others broadcast. */
  public Tensor matmul(Tensor other) {
    Tensor result = call("matmul", () -> open().matmul(other.open()), other);
    Flops.matmul(this, result);
    return result;
  }

  /** Matrix transpose of the last two dimensions. */
  public Tensor t() {
    return transpose(-1, -2);
  }

  /** Sum of products in Einstein's notation, for example {@code "bhtd,bhsd->bhts"}. */
  public static Tensor einsum(String equation, Tensor... operands) {
    Flops.einsum(equation, operands);
    return Native.call(
        "einsum " + equation, () -> torch.einsum(equation, Autograd.vector(operands)), operands);
  }

  // ---- Shape

  /** The same elements in another shape; one size may be -1. A view if it can be. */
  public Tensor reshape(long... shape) {
    return call("reshape", () -> open().reshape(shape));
  }

  /** A view in another shape. */
  public Tensor view(long... shape) {
    return call("view", () -> open().view(shape));
  }

  /**
   * The same bytes read as another element type; the last dimension's size changes with its width.
   */
  public Tensor viewAs(DType dtype) {
    return call("view", () -> open().view(dtype.scalarType()));
  }

  /** Merges the dimensions {@code first … last} into one. */
  public Tensor flatten(int first, int last) {
    return call("flatten", () -> open().flatten(first, last));
  }

  /** Splits one dimension into several. */
  public Tensor unflatten(int dim, long... sizes) {
    return call("unflatten", () -> open().unflatten(dim, sizes));
  }

  /** Exchanges two dimensions. */
  public Tensor transpose(int first, int second) {
    return call("transpose", () -> open().transpose(first, second));
  }

  /** Puts the dimensions in another order. */
  public Tensor permute(long... dims) {
    return call("permute", () -> open().permute(dims));
  }

  /** Inserts a new dimension of size 1. */
  public Tensor unsqueeze(int dim) {
    return call("unsqueeze", () -> open().unsqueeze(dim));
  }

  /** Removes a dimension of size 1. */
  public Tensor squeeze(int dim) {
    return call("squeeze", () -> open().squeeze((long) dim));
  }

  /** Repeats dimensions of size 1 without copying; -1 leaves a size as it is. */
  public Tensor expand(long... shape) {
    return call("expand", () -> open().expand(shape));
  }

  /** Repeats this tensor the given number of times along each dimension. */
  public Tensor repeat(long... times) {
    return call("repeat", () -> open().repeat(times));
  }

  /** Repeats every slice along a dimension {@code times} times in a row. */
  public Tensor repeatInterleave(long times, int dim) {
    return call(
        "repeat_interleave",
        () -> torch.repeat_interleave(open(), times, new LongOptional(dim), new LongOptional()));
  }

  /** A view of {@code length} slices from {@code start} along a dimension. */
  public Tensor narrow(int dim, long start, long length) {
    return call("narrow", () -> open().narrow(dim, start, length));
  }

  /** A view of every {@code step}-th slice along a dimension, from {@code first} on. */
  public Tensor every(int dim, long first, long step) {
    return call(
        "slice",
        () -> open().slice(dim, new LongOptional(first), new LongOptional(size(dim)), step));
  }

  /** A view of one slice along a dimension, without that dimension. */
  public Tensor select(int dim, long index) {
    return call("select", () -> open().select(dim, index));
  }

  /**
   * A view of all windows of {@code length} slices along a dimension, {@code step} apart. That
   * dimension then counts the windows; a new last dimension holds the slices of each.
   */
  public Tensor unfold(int dim, long length, long step) {
    return call("unfold", () -> open().unfold(dim, length, step));
  }

  /** Views of equal size along a dimension. */
  public List<Tensor> chunk(int chunks, int dim) {
    return Native.list(Native.get("chunk", () -> open().chunk(chunks, dim), this));
  }

  /** Views of the given sizes along a dimension. */
  public List<Tensor> split(int dim, long... sizes) {
    return Native.list(Native.get("split", () -> open().split_with_sizes(sizes, dim), this));
  }

  /** Joins tensors along a dimension. */
  public static Tensor cat(int dim, Tensor... parts) {
    return Native.call("cat", () -> torch.cat(Autograd.vector(parts), dim), parts);
  }

  /** Joins tensors along a new dimension. */
  public static Tensor stack(int dim, Tensor... parts) {
    return Native.call("stack", () -> torch.stack(Autograd.vector(parts), dim), parts);
  }

  /** Reverses the order along a dimension. */
  public Tensor flip(int dim) {
    return call("flip", () -> open().flip(dim));
  }

  /** Shifts along a dimension; what leaves at the end comes back at the start. */
  public Tensor roll(long shift, int dim) {
    return call("roll", () -> torch.roll(open(), new long[] {shift}, dim));
  }

  /** The lower triangle; above the given diagonal all is zero. */
  public Tensor tril(long diagonal) {
    return call("tril", () -> open().tril(diagonal));
  }

  /** The upper triangle; below the given diagonal all is zero. */
  public Tensor triu(long diagonal) {
    return call("triu", () -> open().triu(diagonal));
  }

  // ---- Indexing by tensors

  /** The slices that {@code index} (int64, one-dimensional) names, along a dimension. */
  public Tensor indexSelect(int dim, Tensor index) {
    return call("index_select", () -> open().index_select(dim, index.open()), index);
  }

  /** Picks one element for each entry of {@code index}, at that position along a dimension. */
  public Tensor gather(int dim, Tensor index) {
    return call("gather", () -> open().gather(dim, index.open()), index);
  }

  /** A copy in which the elements that {@code index} names along a dimension are replaced. */
  public Tensor scatter(int dim, Tensor index, Tensor source) {
    return call("scatter", () -> open().scatter(dim, index.open(), source.open()), index, source);
  }

  /**
   * A copy to which {@code source} is added at the positions that {@code index} names along a
   * dimension.
   */
  public Tensor scatterAdd(int dim, Tensor index, Tensor source) {
    return call(
        "scatter_add", () -> open().scatter_add(dim, index.open(), source.open()), index, source);
  }

  /** A copy in which the elements that {@code index} names along a dimension have one value. */
  public Tensor scatter(int dim, Tensor index, double value) {
    return call("scatter", () -> open().scatter(dim, index.open(), new Scalar(value)), index);
  }

  /** Draws {@code count} indices per row in proportion to the row's nonnegative weights, int64. */
  public Tensor multinomial(long count, boolean replacement) {
    return call(
        "multinomial",
        () ->
            torch.multinomial(
                open(), count, replacement, new org.bytedeco.pytorch.GeneratorOptional()));
  }

  private Tensor call(String op, java.util.function.Supplier<org.bytedeco.pytorch.Tensor> body) {
    return Native.call(op, body, this);
  }

  private Tensor call(
      String op, java.util.function.Supplier<org.bytedeco.pytorch.Tensor> body, Tensor... others) {
    return Native.call(op, body, with(others));
  }

  private Tensor[] with(Tensor... others) {
    Tensor[] operands = new Tensor[others.length + 1];
    operands[0] = this;
    System.arraycopy(others, 0, operands, 1, others.length);
    return operands;
  }

  private Tensor inPlace(String op, Runnable body, Tensor... others) {
    Native.run(op, body, with(others));
    return this;
  }

  /** Type and shape, and the values if there are at most 16. */
  @Override
  public String toString() {
    if (isClosed()) {
      return "Tensor(closed)";
    }
    boolean shown = elements() <= 16 && !open().is_meta();
    String values = shown ? " " + Arrays.toString(toDoubles()) : "";
    return dtype().name().toLowerCase(java.util.Locale.ROOT) + shape() + values;
  }
}
