/**
 * The part of ONNX's protobuf schema that we write. Field numbers: onnx/onnx.proto, IR version 11.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import protobuf from 'protobufjs'

/** Versions that a graph declares: of the file's format, and of the standard operators. */
export const versions = {
  onnxruntime: { ir: 10, opset: 21 },
  tensorrt: { ir: 11, opset: 23 },
} as const

/** The runtime that a graph is written for: operators that mean the same have another form on each (see the blocks). */
export type Target = keyof typeof versions

/** TensorProto.DataType. */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
  float8e4m3fn: 17,
  int4: 22,
} as const
export type DType = keyof typeof dataTypes
/** Types that only constants have: DequantizeLinear makes numbers of them. */
export type StoredType = 'int4' | 'float8e4m3fn'

/** Bytes of one number; two int4 share a byte, the first in its lower half. */
export const elementBytes: Record<DType, number> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  bfloat16: 2,
  float8e4m3fn: 1,
  int4: 0.5,
}

/** A small constant's numbers in their type; of the shorter float types as float32, which are rounded when written. */
export function packed(dtype: DType, numbers: readonly number[]): ArrayBufferView {
  switch (dtype) {
    case 'float32':
    case 'float16':
    case 'bfloat16':
      return Float32Array.from(numbers)
    case 'int64':
      return BigInt64Array.from(numbers, (n) => BigInt(n))
    case 'int32':
      return Int32Array.from(numbers)
    case 'int8':
      return Int8Array.from(numbers)
    case 'uint8':
    case 'bool':
      return Uint8Array.from(numbers)
    default:
      throw new Error(`no constants of type ${dtype}`)
  }
}

/** AttributeProto.AttributeType. */
export const attributeTypes = { FLOAT: 1, INT: 2, STRING: 3, GRAPH: 5, INTS: 7 } as const

const field = (id: number, type: string, rule?: 'repeated') => ({ id, type, ...(rule ? { rule } : {}) })

const root = protobuf.Root.fromJSON({
  nested: {
    StringStringEntryProto: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
    OperatorSetIdProto: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    Dimension: {
      oneofs: { value: { oneof: ['dimValue', 'dimParam'] } },
      fields: { dimValue: field(1, 'int64'), dimParam: field(2, 'string') },
    },
    TensorShapeProto: { fields: { dim: field(1, 'Dimension', 'repeated') } },
    TensorType: { fields: { elemType: field(1, 'int32'), shape: field(2, 'TensorShapeProto') } },
    TypeProto: { fields: { tensorType: field(1, 'TensorType') } },
    ValueInfoProto: { fields: { name: field(1, 'string'), type: field(2, 'TypeProto') } },
    TensorProto: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        dataType: field(2, 'int32'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
        externalData: field(13, 'StringStringEntryProto', 'repeated'),
        dataLocation: field(14, 'int32'),
      },
    },
    AttributeProto: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        s: field(4, 'bytes'),
        g: field(6, 'GraphProto'),
        ints: field(8, 'int64', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    NodeProto: {
      fields: {
        input: field(1, 'string', 'repeated'),
        output: field(2, 'string', 'repeated'),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: field(5, 'AttributeProto', 'repeated'),
        domain: field(7, 'string'),
      },
    },
    GraphProto: {
      fields: {
        node: field(1, 'NodeProto', 'repeated'),
        name: field(2, 'string'),
        initializer: field(5, 'TensorProto', 'repeated'),
        input: field(11, 'ValueInfoProto', 'repeated'),
        output: field(12, 'ValueInfoProto', 'repeated'),
      },
    },
    ModelProto: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        graph: field(7, 'GraphProto'),
        opsetImport: field(8, 'OperatorSetIdProto', 'repeated'),
      },
    },
  },
})

/** Encodes a plain ModelProto object (camelCase names of the schema above). */
export function encodeModel(model: object): Uint8Array {
  const type = root.lookupType('ModelProto')
  const problem = type.verify(model)
  if (problem) throw new Error(`not a ModelProto: ${problem}`)
  return type.encode(type.create(model)).finish()
}
