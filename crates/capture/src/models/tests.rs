//! Tests of the folding, on a small model built here and on bytes that are no model.

use prost::Message;

use super::fold::{InputSize, fold};
use super::onnx::{
    Attribute, Dimension, FLOAT, Graph, INT8, INT64, Model, Node, OperatorSet, Shape, Tensor, TensorType, ValueInfo, ValueType,
};

fn constant(name: &str, dims: &[i64], data_type: i32, raw: Vec<u8>) -> Tensor {
    Tensor { name: Some(name.to_owned()), dims: dims.to_vec(), data_type: Some(data_type), raw_data: Some(raw), ..Tensor::default() }
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn node(operator: &str, inputs: &[&str], output: &str, settings: &[(&str, i64)]) -> Node {
    let setting = |(name, i): &(&str, i64)| Attribute { name: Some((*name).to_owned()), i: Some(*i), ..Attribute::default() };
    Node {
        op_type: Some(operator.to_owned()),
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute: settings.iter().map(setting).collect(),
        ..Node::default()
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfo {
    let dim = dims.iter().map(|dim| Dimension { value: Some(*dim), param: None }).collect();
    let tensor = TensorType { elem_type: Some(FLOAT), shape: Some(Shape { dim }) };
    ValueInfo { name: Some(name.to_owned()), value_type: Some(ValueType { tensor: Some(tensor) }), doc_string: None }
}

/// A convolution whose 2 x 1 x 1 x 3 weight is stored as 2 x 3 int8 in blocks of 2, after a Dropout; with a stale input
/// and a constant that nothing reads.
fn model() -> Model {
    let graph = Graph {
        node: vec![
            node("DequantizeLinear", &["w_q", "w_s", "w_z"], "w_d", &[("axis", 1), ("block_size", 2)]),
            node("Reshape", &["w_d", "w_shape"], "w", &[]),
            node("Constant", &[], "ratio", &[]),
            node("Dropout", &["x", "ratio"], "x_kept", &[]),
            node("Conv", &["x_kept", "w"], "y", &[]),
        ],
        initializer: vec![
            constant("w_q", &[2, 3], INT8, [1i8, 2, 3, -4, -5, -128].map(i8::cast_unsigned).to_vec()),
            constant("w_s", &[2, 2], FLOAT, floats(&[0.5, 10.0, 2.0, 0.25])),
            constant("w_z", &[2, 2], INT8, [0i8, 1, -1, 0].map(i8::cast_unsigned).to_vec()),
            constant("w_shape", &[4], INT64, [2i64, 1, 1, -1].iter().flat_map(|dim| dim.to_le_bytes()).collect()),
            constant("unread", &[1], FLOAT, floats(&[1.0])),
        ],
        input: vec![value("x", &[1, 1, 640, 640]), value("w_old", &[2, 1, 1, 3])],
        output: vec![value("y", &[1, 2, 640, 638])],
        value_info: vec![value("x_kept", &[1, 1, 640, 640])],
        ..Graph::default()
    };
    let opset = OperatorSet { domain: None, version: Some(21) };
    Model { ir_version: Some(10), graph: Some(graph), opset_import: vec![opset], ..Model::default() }
}

fn folded(model: &Model, input: InputSize) -> Graph {
    let bytes = fold(&model.encode_to_vec(), input).expect("the model is sound");
    Model::decode(bytes.as_slice()).expect("a model comes out").graph.expect("with a graph")
}

#[test]
fn blocks_are_multiplied_out() {
    let graph = folded(&model(), InputSize::AsDeclared);
    let operators: Vec<&str> = graph.node.iter().map(Node::op_type).collect();
    assert_eq!(operators, ["Conv"]);
    assert_eq!(graph.node[0].input, ["x", "w"]);
    let [weight] = &graph.initializer[..] else { panic!("one constant is left, not {}", graph.initializer.len()) };
    assert_eq!((weight.name(), weight.dims.as_slice(), weight.data_type()), ("w", &[2, 1, 1, 3][..], FLOAT));
    // Rows (1, 2 | 3) and (-4, -5 | -128); less zero points (0 | 1) and (-1 | 0); times scales (0.5 | 10) and (2 | 0.25).
    assert_eq!(weight.raw_data.as_deref(), Some(&floats(&[0.5, 1.0, 20.0, -6.0, -8.0, -32.0])[..]));
    let inputs: Vec<&str> = graph.input.iter().map(ValueInfo::name).collect();
    assert_eq!(inputs, ["x"]);
    assert_eq!(graph.input[0], value("x", &[1, 1, 640, 640]));
}

#[test]
fn any_input_size() {
    let graph = folded(&model(), InputSize::Any);
    let shape = |value: &ValueInfo| value.value_type.as_ref()?.tensor.as_ref()?.shape.clone();
    let dims = shape(&graph.input[0]).expect("the input keeps its rank").dim;
    assert_eq!(dims.iter().map(|dim| dim.value).collect::<Vec<_>>(), [Some(1), Some(1), None, None]);
    assert_eq!(dims[3].param.as_deref(), Some("width"));
    assert_eq!(shape(&graph.output[0]), None);
}

#[test]
fn the_same_bytes_every_time_and_folding_twice_changes_nothing() {
    let once = fold(&model().encode_to_vec(), InputSize::Any).expect("sound");
    assert_eq!(fold(&model().encode_to_vec(), InputSize::Any).expect("sound"), once);
    assert_eq!(fold(&once, InputSize::AsDeclared).expect("sound"), once);
}

#[test]
fn one_scale_and_one_scale_for_each_slice() {
    for (scales, dims, expected) in [
        (&[2.0f32][..], &[][..], [2.0f32, 4.0, 6.0, -8.0, -10.0, -256.0]),
        (&[1.0, 10.0, 100.0], &[3], [1.0, 20.0, 300.0, -4.0, -50.0, -12_800.0]),
    ] {
        let mut model = model();
        let graph = model.graph.as_mut().expect("built above");
        graph.node[0] = node("DequantizeLinear", &["w_q", "w_s"], "w_d", &[("axis", -1)]);
        graph.initializer[1] = constant("w_s", dims, FLOAT, floats(scales));
        let graph = folded(&model, InputSize::AsDeclared);
        assert_eq!(graph.initializer[0].raw_data.as_deref(), Some(&floats(&expected)[..]));
    }
}

#[test]
fn refusals() {
    let check = |change: &dyn Fn(&mut Graph), reason: &str| {
        let mut model = model();
        change(model.graph.as_mut().expect("built above"));
        let error = fold(&model.encode_to_vec(), InputSize::AsDeclared).expect_err(reason).to_string();
        assert!(error.contains(reason), "{error} does not say {reason}");
    };
    check(&|graph| graph.node[0].input[0] = "x".to_owned(), "no constant is quantised");
    check(&|graph| graph.node[0].input[1] = "x".to_owned(), "scale is no constant");
    check(&|graph| graph.node[0].attribute[0].i = Some(7), "an axis that it does not have");
    check(&|graph| graph.node[0].attribute[1].i = Some(1), "do not match its blocks");
    check(&|graph| graph.node[0].attribute[1].i = Some(-1), "block size is negative");
    check(&|graph| graph.initializer[0].data_type = Some(99), "element type 99");
    check(&|graph| graph.initializer[0].dims = vec![i64::MAX, i64::MAX], "size");
    check(&|graph| graph.initializer[1].raw_data = Some(floats(&[1.0])), "too few scales");
    check(&|graph| graph.initializer[3].raw_data = Some(9i64.to_le_bytes().to_vec()), "reshaped to another size");
    check(&|graph| graph.node[1].input[1] = "x".to_owned(), "a shape that is no constant");
}

#[test]
fn what_is_not_known_is_refused_not_lost() {
    let mut bytes = model().encode_to_vec();
    bytes.extend([0xA0, 0x06, 0x01]); // Field 100, a number.
    assert!(fold(&bytes, InputSize::AsDeclared).expect_err("unknown field").to_string().contains("not known here"));
    assert!(fold(&[], InputSize::AsDeclared).expect_err("nothing").to_string().contains("no graph"));
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(0u8.., 0..200)) {
        proptest::prop_assert!(fold(&bytes, InputSize::Any).is_err());
    }

    #[test]
    fn a_damaged_model_never_panics(at in 0usize..400, byte in 0u8..) {
        let mut bytes = model().encode_to_vec();
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = fold(&bytes, InputSize::Any);
    }
}
